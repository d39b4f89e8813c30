import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UsageError } from '../../../scripts/command-line.ts';
import { faults } from '../../faults/faults/index.ts';
import { type Load, planLoads, prepareLoad } from '../../faults/load.ts';
import { parseOptions } from '../../faults/options.ts';
import { Random } from '../../faults/random.ts';
import { Sightings } from '../../faults/sightings.ts';
import { tableOf } from '../../faults/table.ts';

describe('chance', () => {
  test('is the same for the same seed, and of its own in a fork', () => {
    const draw = (random: Random): number[] => Array.from({ length: 20 }, () => random.int(0, 1_000_000));
    expect(draw(new Random('a'))).toEqual(draw(new Random('a')));
    expect(draw(new Random('a'))).not.toEqual(draw(new Random('b')));
    const [one, other] = [new Random('a'), new Random('a')];
    draw(one.fork('x'));
    expect(draw(one)).toEqual(draw(other));
  });

  test('stays within its bounds, and reaches them', () => {
    const random = new Random('bounds');
    expect([...new Set(Array.from({ length: 200 }, () => random.int(3, 6)))].sort((one, other) => one - other)).toEqual([3, 4, 5, 6]);
  });
});

describe('what is sent, and what is seen of it', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pe-plan-'));
    for (const name of ['one', 'other', 'in']) mkdirSync(join(directory, name));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const load = (kind: Load['kind']): Load => ({ kind, name: `0-${kind}`, from: 'alice', to: 'bob', key: 'k', lastsMs: 1_000, random: new Random(kind) });

  test('a seed makes the same loads with the same content', () => {
    const plan = (): Load[] => planLoads(new Random('plan'), true);
    expect(plan().map(({ random: _random, ...rest }) => rest)).toEqual(plan().map(({ random: _random, ...rest }) => rest));
    for (const kind of ['file', 'tree', 'small-files', 'stdin', 'replace'] as const) {
      const [one, other] = ['one', 'other'].map((where) => prepareLoad(load(kind), join(directory, where), join(directory, 'in')));
      expect([kind, one?.content]).toEqual([kind, other?.content]);
      expect(one?.content).not.toBe(one?.before);
    }
  });

  test('part of a file, another one, and a second copy are wrong; the whole, what was there before and an empty claim are not', () => {
    const inbox = join(directory, 'in');
    const file = prepareLoad(load('file'), join(directory, 'one'), inbox);
    const replaced = prepareLoad(load('replace'), join(directory, 'one'), inbox);
    const tree = prepareLoad(load('tree'), join(directory, 'one'), inbox);
    using sightings = new Sightings(inbox, [file, replaced, tree]);
    mkdirSync(join(inbox, '.peerd-staging'));
    mkdirSync(join(inbox, tree.name));
    sightings.look();
    rmSync(join(inbox, tree.name), { recursive: true });
    renameSync(tree.path, join(inbox, tree.name));
    renameSync(replaced.path, join(inbox, replaced.name));
    sightings.look();
    expect([sightings.wrong, sightings.strangers().filter((name) => !name.startsWith('.'))]).toEqual([[], []]);
    writeFileSync(join(inbox, file.name), 'a part');
    writeFileSync(join(inbox, `${file.name} (1)`), 'another');
    rmSync(join(inbox, tree.name, 'f1'), { force: true });
    mkdirSync(join(inbox, tree.name, 'more'));
    sightings.look();
    expect(sightings.wrong.map(({ what }) => what).sort()).toEqual([
      `"${file.name} (1)" appeared in the destination: a second delivery, or nothing that was sent`,
      `"${file.name}" was seen under its final name, and was not what was sent`,
      `"${tree.name}" was seen under its final name, and was not what was sent`,
    ]);
  });
});

describe('the command', () => {
  test('takes its options', () => {
    expect(parseOptions([])).toMatchObject({ runs: 200, first: 0, jobs: 4, only: faults });
    expect(parseOptions(['--', '--seed', 's', '--only', 'cut,stall', '--runs', '3', '--first', '9'])).toMatchObject({ seed: 's', runs: 3, first: 9 });
    expect(parseOptions(['--only', 'cut,stall'])?.only.map(({ name }) => name)).toEqual(['cut', 'stall']);
  });

  test.each([['--only', 'fire'], ['--runs', '0'], ['--jobs', 'many'], ['--first', '-1'], ['--fast']])('%s %s is refused', (...args) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
  });

  test('counts faults × outcomes', () => {
    const sent = (failed: string[], early = false) => ({ load: {} as never, failed, early });
    const run = { seed: 's', kept: undefined };
    const lines = tableOf(
      [{ ...run, fault: 'cut', sent: [sent([]), sent([], true)], resumed: 1, wrong: [] }, { ...run, fault: 'cut', sent: [sent(['no_space'])], resumed: 0, wrong: ['something'] }],
      ['stall', 'cut'],
    );
    expect(lines.slice(2)).toEqual(['| cut | 2 | 3 | 1 | 1 | 1 | 1 (no_space 1) | 1 |', '| all | 2 | 3 | 1 | 1 | 1 | 1 | 1 |']);
  });
});
