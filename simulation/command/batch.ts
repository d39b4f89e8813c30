/** Many runs in a row, one part of them after the other. */
import { runSchedule } from '../schedule/run.ts';
import { makeSchedule, type ScenarioName } from '../schedule/schedule.ts';
import { addRun, emptyTally, type Tally } from './tally.ts';

export interface Batch {
  readonly seed: number;
  readonly only: ScenarioName | undefined;
  readonly first: number;
  readonly runs: number;
}

/** Errors are reasons here, made by the thousand: nobody looks at where. */
const withoutStacks = 0;

export const runBatch = ({ seed, only, first, runs }: Batch): Tally => {
  Error.stackTraceLimit = withoutStacks;
  const tally = emptyTally();
  for (let run = first; run < first + runs; run += 1) {
    const schedule = makeSchedule(seed, run, only);
    addRun(tally, schedule, runSchedule(schedule));
  }
  return tally;
};
