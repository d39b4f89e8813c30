/** What the person who starts the runs may choose. */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { Fault } from './fault.ts';
import { faults } from './faults/index.ts';

export interface Options {
  readonly runs: number;
  readonly seed: string;
  /** The number of the first run. */
  readonly first: number;
  readonly faults: readonly Fault[];
  readonly jobs: number;
}

/** The arguments are wrong; the message says how. */
export class UsageError extends Error {}

export const help = `Usage: pnpm faults [OPTION]...

Sends files between real daemons, does something bad to them at a random point, and checks that nothing was lost, doubled,
or delivered in part. Everything runs on loopback, or in namespaces and on file systems of its own, and is removed at the end.

  --runs N            runs, each with the next fault in turn (default: 200)
  --seed S            what decides everything (default: a random one, which is printed)
  --first N           number of the first run: with --seed, --only and --runs 1, one run again (default: 0)
  --only FAULT[,…]    these faults only
  --jobs N            runs at the same time (default: 4)
  -h, --help          this text

Faults:
${faults.map(({ name, summary }) => `  ${name.padEnd(16)}  ${summary}`).join('\n')}

Exit codes: 0 nothing is wrong; 1 something is: what, how to run it again and where its world is kept is printed; 2 usage;
130 interrupted.
`;

/** @returns undefined: help was asked for. @throws UsageError */
export const parseOptions = (args: readonly string[]): Options | undefined => {
  let values;
  try {
    ({ values } = parseArgs({
      // pnpm passes on the dashes that separate its own options.
      args: args[0] === '--' ? args.slice(1) : [...args],
      options: {
        runs: { type: 'string', default: '200' }, seed: { type: 'string', default: randomBytes(4).toString('hex') }, first: { type: 'string', default: '0' },
        only: { type: 'string' }, jobs: { type: 'string', default: '4' }, help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  if (values.help) return undefined;
  const whole = (option: 'runs' | 'first' | 'jobs', least: number): number => {
    const number = Number(values[option]);
    if (!Number.isSafeInteger(number) || number < least) throw new UsageError(`--${option}: "${values[option]}" is not a whole number from ${least} on`);
    return number;
  };
  const names = values.only?.split(',') ?? faults.map(({ name }) => name);
  const unknown = names.find((name) => !faults.some((fault) => fault.name === name));
  if (unknown !== undefined) throw new UsageError(`--only: there is no fault "${unknown}"; there are ${faults.map(({ name }) => name).join(', ')}`);
  return { runs: whole('runs', 1), first: whole('first', 0), jobs: whole('jobs', 1), seed: values.seed, faults: faults.filter(({ name }) => names.includes(name)) };
};
