/** What the person who starts the simulation may choose. */
import { choice, commandLine, parse, UsageError, whole } from '../scripts/command-line.ts';
import { type ScenarioName, scenarioNames } from './schedule/schedule.ts';

export interface Options {
  readonly runs: number;
  readonly seed: number;
  readonly only?: ScenarioName;
  /** Replay this one, with its event log. */
  readonly run?: number;
}

const summary = 'Runs the state machines of packages/protocol in a simulated world that goes wrong, from a seed.';
const after = 'Exit codes: 0 every promise held; 1 one did not: the schedule is printed, made as small as it can be; 2 usage; 130 interrupted.';

/** @returns `undefined`: help was shown. @throws UsageError */
export const parseOptions = (args: readonly string[]): Options | undefined => {
  const command = commandLine('simulate', summary, after)
    .option('--runs <N>', 'schedules', whole(1), 100_000)
    .option('--seed <N>', 'the same one gives the same schedules; one that is chosen anew is printed', whole(0))
    .addOption(choice('--only <SCENARIO>', 'this one only', scenarioNames))
    .option('--run <K>', 'replay schedule K of the seed, with an event log', whole(0));
  const parsed = parse<Partial<Options> & Pick<Options, 'runs'>>(command, args);
  if (parsed?.values.run !== undefined && parsed.values.seed === undefined) throw new UsageError('error: --run needs the --seed that it belongs to');
  return parsed && { seed: Date.now() % 1_000_000, ...parsed.values };
};
