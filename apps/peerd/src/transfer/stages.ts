/** Sums and differences of the times of stages. */
import { noStageTimes, type StageTimes } from '@peerd/protocol';

type Stage = keyof StageTimes;

const combined = (one: StageTimes, other: StageTimes, combine: (one: number, other: number) => number): StageTimes => {
  const times = { ...noStageTimes };
  for (const stage of Object.keys(times) as Stage[]) times[stage] = combine(one[stage], other[stage]);
  return times;
};

export const addedStages = (one: StageTimes, other: StageTimes): StageTimes => combined(one, other, (a, b) => a + b);
export const stagesSince = (now: StageTimes, then: StageTimes): StageTimes => combined(now, then, (a, b) => a - b);
