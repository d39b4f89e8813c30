/** What the person who starts the bench may choose. */
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
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

/** The arguments are wrong; the message says how. */
export class UsageError extends Error {}

const none = 'none';

export const help = `Usage: pnpm bench [OPTION]...

Measures peerd beside every tool that is installed, in alternating rounds, and says which targets are met.
Everything runs on loopback, with daemons and keys of its own, and is removed at the end.

  --only CASE[,CASE]  these cases only
  --without TOOL[,…]  leave these out: the slow ones of others take most of the time
  --runs N            rounds of each comparison (default: ${fullSizes.runs}; of tiny always ${fullSizes.tinyRuns})
  --quick             tiny sizes, one round, one medium: shows that the bench works, the figures mean nothing
  --tmpfs DIR         where the runs in memory work, or "${none}" (default: /dev/shm)
  --disk DIR          where the runs on disk work, or "${none}" (default: ${tmpdir()})
  --sparse-gib N      size of the sparse file (default: ${fullSizes.sparseBytes / 1024 ** 3})
  --json FILE         write everything that was measured
  --svg FILE          write a chart
  -h, --help          this text

Tools: ${toolNames.join('; ')}

Cases:
${cases.map(({ name, summary }) => `  ${name.padEnd(18)}  ${summary}`).join('\n')}

Exit codes: 0 measured, whether targets are met or not; 1 something of ours failed or arrived wrong; 2 usage; 130 interrupted.
`;

const positive = (option: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!(number > 0 && Number.isFinite(number))) throw new UsageError(`--${option}: "${text}" is not a positive number`);
  return number;
};

const assertKnown = (option: string, what: string, names: readonly string[], known: readonly string[]): void => {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UsageError(`${option}: there is no ${what} "${unknown}"; there are ${known.join('; ')}`);
};

/** @returns undefined: help was asked for. @throws UsageError */
export const parseOptions = (args: readonly string[]): Options | undefined => {
  let values;
  try {
    ({ values } = parseArgs({
      // pnpm passes on the dashes that separate its own options.
      args: args[0] === '--' ? args.slice(1) : [...args],
      options: {
        only: { type: 'string' }, without: { type: 'string' }, runs: { type: 'string' }, quick: { type: 'boolean', default: false }, tmpfs: { type: 'string', default: '/dev/shm' },
        disk: { type: 'string', default: tmpdir() }, 'sparse-gib': { type: 'string' }, json: { type: 'string' }, svg: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  if (values.help) return undefined;
  const sizes = values.quick ? quickSizes : fullSizes;
  const sparseGib = positive('sparse-gib', values['sparse-gib']);
  const runs = positive('runs', values.runs) ?? sizes.runs;
  if (!Number.isInteger(runs)) throw new UsageError('--runs: give a whole number');
  const names = values.only?.split(',');
  const without = values.without?.split(',') ?? [];
  assertKnown('--only', 'case', names ?? [], cases.map(({ name }) => name));
  assertKnown('--without', 'tool', without, toolNames);
  return {
    quick: values.quick,
    cases: names ? cases.filter(({ name }) => names.includes(name)) : cases,
    without,
    runs,
    sizes: { ...sizes, ...(sparseGib === undefined ? {} : { sparseBytes: Math.ceil(sparseGib * 1024) * 1024 ** 2 }) },
    tmpfs: values.tmpfs === none ? undefined : values.tmpfs,
    disk: values.disk === none ? undefined : values.disk,
    json: values.json,
    svg: values.svg,
  };
};
