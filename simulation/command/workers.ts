/** Shares the schedules among the cores. The result does not depend on how many there are. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Options } from '../options.ts';
import type { Batch } from './batch.ts';
import { addTally, emptyTally, type Tally } from './tally.ts';

const batchRuns = 500;
/** A defect shows soon; then the time is better spent on looking at it. */
const enoughFailures = 5;

/** @param progress called after each batch @throws the reason of the signal */
export const runAll = async ({ runs, seed, only }: Options, signal: AbortSignal, progress: (sum: Tally) => void): Promise<Tally> => {
  const sum = emptyTally();
  let next = 0;
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('worker.ts', import.meta.url));
    try {
      while (next < runs && sum.failures.length < enoughFailures) {
        const batch: Batch = { seed, only, first: next, runs: Math.min(batchRuns, runs - next) };
        next += batch.runs;
        worker.postMessage(batch);
        const [tally] = (await once(worker, 'message', { signal })) as [Tally];
        addTally(sum, tally);
        progress(sum);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  sum.failures.sort((a, b) => a.run - b.run);
  return sum;
};
