/** The fewest inputs that enter what all of them enter, as far as a greedy choice finds them: the smallest first. */
import { attempt } from './attempt.ts';
import { Coverage } from './coverage.ts';
import type { FuzzTarget } from './target.ts';

export const reduce = async (target: FuzzTarget, inputs: readonly Buffer[]): Promise<Buffer[]> => {
  using coverage = new Coverage();
  // What runs only once, to prepare something, is the merit of no input.
  for (const input of target.seeds.length > 0 ? target.seeds : inputs.slice(0, 1)) await attempt(target, input);
  coverage.take();
  const kept: Buffer[] = [];
  for (const input of [...inputs].sort((a, b) => a.length - b.length)) {
    await attempt(target, input);
    if (coverage.add(coverage.take())) kept.push(input);
  }
  return kept;
};
