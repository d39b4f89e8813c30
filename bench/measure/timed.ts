/** The time of a run, and what it used. */
import type { Sample, Usage } from './usage.ts';

export const timed = async (work: () => Promise<Usage>): Promise<Sample> => {
  const started = performance.now();
  const { cpuSeconds, peaks } = await work();
  return { seconds: (performance.now() - started) / 1_000, cpuSeconds, peaks };
};
