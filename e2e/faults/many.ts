/** Many runs, a few at a time, each with a seed made of the common one and its number. */
import type { Fault } from './fault.ts';
import { runOnce, type RunResult } from './run.ts';
import { lacks } from './system.ts';

export interface Skipped {
  readonly fault: string;
  readonly why: string;
}

/** Faults that can be made here, and why the others can't. */
export const possible = async (faults: readonly Fault[]): Promise<{ faults: Fault[]; skipped: Skipped[] }> => {
  const usable: Fault[] = [];
  const skipped: Skipped[] = [];
  for (const fault of faults) {
    const reasons = (await Promise.all(fault.needs.map(lacks))).filter((why) => why !== undefined);
    if (reasons.length === 0) usable.push(fault);
    else skipped.push({ fault: fault.name, why: reasons.join('; ') });
  }
  return { faults: usable, skipped };
};

export interface ManyOptions {
  readonly faults: readonly Fault[];
  readonly seed: string;
  readonly first: number;
  readonly runs: number;
  readonly jobs: number;
  readonly signal: AbortSignal;
  readonly onRun: (result: RunResult, number: number) => void;
}

export const runMany = async ({ faults, seed, first, runs, jobs, signal, onRun }: ManyOptions): Promise<RunResult[]> => {
  const results: RunResult[] = [];
  let next = first;
  const worker = async (): Promise<void> => {
    for (let number = next++; number < first + runs && !signal.aborted; number = next++) {
      const fault = faults[number % faults.length];
      if (!fault) return;
      const result = await runOnce(fault, `${seed}/${number}`, signal);
      // What was interrupted says nothing.
      if (signal.aborted) return;
      results.push(result);
      onRun(result, number);
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return results;
};
