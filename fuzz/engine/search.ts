/**
 * The search for inputs that break a target.
 *
 * 1. run what is known: the seeds of the target and the corpus
 * 2. mutate one of them, run it
 * 3. an input that entered new code joins them. To ask V8 costs more than a run, so it is asked once for a batch, and for
 *    each input only of a batch that brought something new
 */
import { setImmediate as turn } from 'node:timers/promises';
import { attempt, kindOf, minimise } from './attempt.ts';
import type { Coverage } from './coverage.ts';
import { mutate } from './mutate.ts';
import { Random, seedFor } from './random.ts';
import { defaultMaxBytes, type FuzzTarget } from './target.ts';

interface Finding {
  readonly input: Buffer;
  readonly error: Error;
}

export interface SearchResult {
  readonly runs: number;
  /** Seeds, corpus, and what was found to enter new code. */
  readonly known: readonly Buffer[];
  /** One of each kind, minimised. */
  readonly findings: readonly Finding[];
}

export interface SearchOptions {
  readonly corpus: readonly Buffer[];
  readonly seed: number;
  /** Asked before each batch. */
  readonly isOver: (runs: number) => boolean;
  /** Without it, mutants of what is known are all that is tried. */
  readonly coverage?: Coverage;
}

const batchInputs = 64;
const maxKnown = 10_000;

export const search = async (target: FuzzTarget, { corpus, seed, isOver, coverage }: SearchOptions): Promise<SearchResult> => {
  const random = new Random(seedFor(seed, target.name));
  const maxBytes = target.maxBytes ?? defaultMaxBytes;
  const known = [Buffer.alloc(0), ...target.seeds, ...corpus];
  const findings = new Map<string, Finding>();
  let runs = 0;
  const run = async (input: Buffer): Promise<void> => {
    runs += 1;
    const error = await attempt(target, input);
    if (error === undefined || findings.has(kindOf(error))) return;
    findings.set(kindOf(error), { input: await minimise(target, input, error), error });
  };

  for (const input of known) await run(input);
  coverage?.add(coverage.take());
  while (!isOver(runs)) {
    // Signals get in.
    await turn();
    const batch = Array.from({ length: batchInputs }, () => {
      const from = random.pick(known);
      return target.mutate !== undefined && random.below(2) === 0 ? target.mutate(from, random).subarray(0, maxBytes) : mutate(from, known, random, maxBytes);
    });
    for (const input of batch) await run(input);
    const report = coverage?.take();
    if (coverage === undefined || report === undefined || !coverage.isNew(report)) continue;
    for (const input of batch) {
      await attempt(target, input);
      if (coverage.add(coverage.take()) && known.length < maxKnown) known.push(input);
    }
    // What ran only once, to prepare something, is no news either.
    coverage.add(report);
  }
  return { runs, known, findings: [...findings.values()] };
};
