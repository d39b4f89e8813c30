/** What stands in a destination at the end. */
import { join } from 'node:path';
import { isPartOf } from './digest.ts';
import type { Prepared } from './load.ts';
import { originalOf, type Sightings } from './sightings.ts';

/**
 * Everything once and whole, and nothing else. What has ended as `partial` once (an entry could not be read) stands there as
 * well, without the entries that failed, and whatever was sent again beside it under the next name.
 *
 * @param partly names of loads with such an attempt
 */
export const checkDestination = (directory: string, destination: Sightings, loads: readonly Prepared[], partly: ReadonlySet<string>): string[] => {
  destination.look();
  const strangers = destination.strangers().filter((name) => !name.startsWith('.'));
  const wrong = destination.wrong.filter(({ name }) => !partly.has(name)).map(({ what }) => what);
  for (const name of strangers) if (!partly.has(originalOf(name))) wrong.push(`"${name}" is in ${directory} too`);
  for (const load of loads) {
    const copies = [load.name, ...strangers.filter((name) => originalOf(name) === load.name)];
    const whole = copies.filter((name) => destination.stands(name) === load.content);
    if (whole.length !== 1) wrong.push(`${load.name} stands whole in ${directory} ${whole.length} times`);
    for (const name of copies) if (!whole.includes(name) && !isPartOf(join(directory, name), load.path)) wrong.push(`"${name}" in ${directory} has something that was not sent`);
  }
  return wrong;
};
