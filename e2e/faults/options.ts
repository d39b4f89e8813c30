/** What the person who starts the runs may choose. */
import { randomBytes } from 'node:crypto';
import { commandLine, parse, someOf, whole } from '../../scripts/command-line.ts';
import type { Fault } from './fault.ts';
import { faults } from './faults/index.ts';

export interface Options {
  readonly runs: number;
  readonly seed: string;
  /** The number of the first run. */
  readonly first: number;
  /** These faults; default: all. */
  readonly only: readonly Fault[];
  readonly jobs: number;
}

const summary =
  'Sends files between real daemons, does something bad to them at a random point, and checks that nothing was lost, doubled, or delivered in part. ' +
  'Everything runs on loopback, or in namespaces and on file systems of its own, and is removed at the end.';

const after = `Faults:
${faults.map(({ name, summary: what }) => `  ${name.padEnd(16)}  ${what}`).join('\n')}

Exit codes: 0 nothing is wrong; 1 something is: what, how to run it again and where its world is kept is printed; 2 usage;
130 interrupted.`;

/** @returns `undefined`: help was shown. @throws UsageError */
export const parseOptions = (args: readonly string[]): Options | undefined => {
  const command = commandLine('faults', summary, after)
    .option('--runs <N>', 'runs, each with the next fault in turn', whole(1), 200)
    .option('--seed <S>', 'what decides everything; a random one is printed')
    .option('--first <N>', 'number of the first run: with --seed, --only and --runs 1, one run again', whole(0), 0)
    .option('--only <FAULT,...>', 'these faults only', someOf('fault', faults, ({ name }) => name))
    .option('--jobs <N>', 'runs at the same time', whole(1), 4);
  const parsed = parse<Partial<Options> & Omit<Options, 'seed' | 'only'>>(command, args);
  return parsed && { seed: randomBytes(4).toString('hex'), only: faults, ...parsed.values };
};
