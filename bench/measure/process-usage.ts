/** What processes that run on and on use in a while. */
import { cpuSecondsOf, peakRssOf, resetPeakRss } from './proc.ts';
import type { Usage } from './usage.ts';

export interface Observed {
  readonly name: string;
  readonly pid: number;
}

const cpuOf = async (processes: readonly Observed[]): Promise<number> => {
  const seconds = await Promise.all(processes.map(({ pid }) => cpuSecondsOf(pid)));
  return seconds.reduce((sum, one) => sum + one, 0);
};

/** Peaks begin anew where the kernel allows it; elsewhere they count from the start of the process. */
export const during = async <Result>(processes: readonly Observed[], work: () => Promise<Result>): Promise<{ result: Result; usage: Usage }> => {
  await Promise.all(processes.map(({ pid }) => resetPeakRss(pid)));
  const before = await cpuOf(processes);
  const result = await work();
  const usage: Usage = {
    cpuSeconds: (await cpuOf(processes)) - before,
    peaks: processes.flatMap(({ name, pid }) => {
      const bytes = peakRssOf(pid);
      return bytes === undefined ? [] : [{ process: name, bytes }];
    }),
  };
  return { result, usage };
};
