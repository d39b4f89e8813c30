/** What a run took. */

export interface ProcessPeak {
  readonly process: string;
  /** The most memory that it had in RAM at a time. */
  readonly bytes: number;
}

export interface Usage {
  /** User and system, of all processes of both ends. Undefined: there is no program here that counts it. */
  readonly cpuSeconds: number | undefined;
  readonly peaks: readonly ProcessPeak[];
}

export interface Sample extends Usage {
  readonly seconds: number;
}

export const noUsage: Usage = { cpuSeconds: 0, peaks: [] };

export const addUsage = (...usages: readonly Usage[]): Usage => ({
  cpuSeconds: usages.reduce<number | undefined>((sum, { cpuSeconds }) => (sum === undefined || cpuSeconds === undefined ? undefined : sum + cpuSeconds), 0),
  peaks: usages.flatMap(({ peaks }) => peaks),
});

/** Several runs: the highest peak of each process. */
export const highestPeaks = (samples: readonly Usage[]): ProcessPeak[] => {
  const highest = new Map<string, number>();
  for (const { process, bytes } of samples.flatMap(({ peaks }) => peaks)) highest.set(process, Math.max(bytes, highest.get(process) ?? 0));
  return [...highest].map(([process, bytes]) => ({ process, bytes }));
};
