/** What the person who starts the simulation may choose. */
import { parseArgs } from 'node:util';
import { type ScenarioName, scenarioNames } from './schedule/schedule.ts';

export interface Options {
  readonly runs: number;
  readonly seed: number;
  readonly only: ScenarioName | undefined;
  /** Replay this one, with its event log. */
  readonly run: number | undefined;
}

/** The arguments are wrong; the message says how. */
export class UsageError extends Error {}

export const help = `Usage: pnpm simulate [OPTION]...

Runs the state machines of packages/protocol in a simulated world that goes wrong, from a seed.

  --runs N         schedules (100000)
  --seed S         a number; the same one gives the same schedules (chosen anew each time)
  --only SCENARIO  one of ${scenarioNames.join(', ')}
  --run K          replay schedule K of the seed, with an event log
`;

const numberOf = (name: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--${name} takes a whole number, not "${text}"`);
  return Number(text);
};

/** @returns `undefined` when only help was asked for. @throws UsageError */
export const parseOptions = (args: readonly string[], freshSeed: number): Options | undefined => {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: { runs: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' }, run: { type: 'string' }, help: { type: 'boolean' } },
    }));
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
  if (values.help === true) return undefined;
  const only = scenarioNames.find((name) => name === values.only);
  if (values.only !== undefined && only === undefined) throw new UsageError(`--only takes one of ${scenarioNames.join(', ')}, not "${values.only}"`);
  const seed = numberOf('seed', values.seed);
  const run = numberOf('run', values.run);
  if (run !== undefined && seed === undefined) throw new UsageError('--run needs the --seed that it belongs to');
  return { runs: numberOf('runs', values.runs) ?? 100_000, seed: seed ?? freshSeed, only, run };
};
