/** What the person who starts the bench may choose. */
import { tmpdir } from 'node:os';
import { commandLine, parse, positive, someOf, whole } from '../scripts/command-line.ts';
import { cases } from './cases/index.ts';
import type { BenchCase } from './cases/case.ts';
import { fullSizes, quickSizes, type Sizes } from './sizes.ts';
import { toolNames } from './tools/index.ts';

export interface Options {
  readonly quick: boolean;
  readonly cases: readonly BenchCase[];
  readonly without: readonly string[];
  readonly runs: number;
  readonly sizes: Sizes;
  /** Undefined: without it. */
  readonly tmpfs: string | undefined;
  readonly disk: string | undefined;
  readonly json: string | undefined;
  readonly svg: string | undefined;
}

const none = 'none';

const summary =
  'Measures peerd beside every tool that is installed, in alternating rounds, and says which targets are met. ' +
  'Everything runs on loopback, with daemons and keys of its own, and is removed at the end.';

const after = `Tools: ${toolNames.join('; ')}

Cases:
${cases.map(({ name, summary: what }) => `  ${name.padEnd(18)}  ${what}`).join('\n')}

Exit codes: 0 measured, whether targets are met or not; 1 something of ours failed or arrived wrong; 2 usage; 130 interrupted.`;

interface Values extends Pick<Options, 'json' | 'svg'> {
  readonly quick?: boolean;
  readonly without?: readonly string[];
  readonly only?: readonly BenchCase[];
  readonly runs?: number;
  readonly tmpfs: string;
  readonly disk: string;
  readonly sparseGib?: number;
}

/** @returns `undefined`: help was shown. @throws UsageError */
export const parseOptions = (args: readonly string[]): Options | undefined => {
  const command = commandLine('bench', summary, after)
    .option('--only <CASE,...>', 'these cases only', someOf('case', cases, ({ name }) => name))
    .option('--without <TOOL,...>', 'leave these out: the slow ones of others take most of the time', someOf('tool', toolNames, (name) => name))
    .option('--runs <N>', `rounds of each comparison (default: ${fullSizes.runs}; of tiny always ${fullSizes.tinyRuns})`, whole(1))
    .option('--quick', 'tiny sizes, one round, one medium: shows that the bench works, the figures mean nothing')
    .option('--tmpfs <DIR>', `where the runs in memory work, or "${none}"`, '/dev/shm')
    .option('--disk <DIR>', `where the runs on disk work, or "${none}"`, tmpdir())
    .option('--sparse-gib <N>', `size of the sparse file (default: ${fullSizes.sparseBytes / 1024 ** 3})`, positive)
    .option('--json <FILE>', 'write everything that was measured')
    .option('--svg <FILE>', 'write a chart');
  const values = parse<Values>(command, args)?.values;
  if (!values) return undefined;
  const { quick = false, only = cases, without = [], tmpfs, disk, sparseGib, json, svg } = values;
  const sizes = quick ? quickSizes : fullSizes;
  return {
    quick,
    cases: only,
    without,
    runs: values.runs ?? sizes.runs,
    sizes: { ...sizes, ...(sparseGib === undefined ? {} : { sparseBytes: Math.ceil(sparseGib * 1024) * 1024 ** 2 }) },
    tmpfs: tmpfs === none ? undefined : tmpfs,
    disk: disk === none ? undefined : disk,
    json,
    svg,
  };
};
