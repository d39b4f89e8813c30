import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { faults } from '../../faults/faults/index.ts';
import { runMany } from '../../faults/many.ts';
import type { RunResult } from '../../faults/run.ts';
import { lacks } from '../../faults/system.ts';

/** Those that cost seconds of waiting, or are much alike, are left to `pnpm faults`. */
const fixed = ['kill-sender', 'kill-receiver', 'kill-rendezvous', 'cut', 'corrupt', 'full-downloads', 'full-state', 'io-errors', 'no-descriptors', 'clock'];

const run = async (name: string, seed: string): Promise<RunResult> => {
  const [result] = await runMany({ faults: faults.filter((fault) => fault.name === name), seed, first: 0, runs: 1, jobs: 1, signal: new AbortController().signal, onRun: () => {} });
  if (!result) throw new Error('there was no run');
  return result;
};

/** With how to do it again. */
const problemsOf = ({ fault, kept, wrong }: RunResult, seed: string): string[] =>
  wrong.length === 0 ? [] : [...wrong, `pnpm faults --seed ${seed} --only ${fault} --runs 1; its world is kept in ${kept}`];

const reasonOf = async (name: string): Promise<string | undefined> => {
  const reasons = await Promise.all((faults.find((fault) => fault.name === name)?.needs ?? []).map(lacks));
  return reasons.find((why) => why !== undefined);
};

describe.concurrent('whatever befalls daemons, nothing is lost, doubled or delivered in part', () => {
  test.for(fixed)('%s', async (name, { skip }) => {
    const why = await reasonOf(name);
    skip(why !== undefined, why);
    const result = await run(name, 'tests');
    expect(problemsOf(result, 'tests')).toEqual([]);
    expect(result.sent.length).toBeGreaterThan(0);
  });

  const seed = randomBytes(4).toString('hex');
  const possible = faults.filter(({ needs }) => needs.length === 0).map(({ name }) => name).filter((name) => name !== 'suspend');
  const chosen = possible[Number.parseInt(seed.slice(0, 2), 16) % possible.length] ?? 'cut';
  test(`a random seed: ${chosen}, seed ${seed}`, async () => {
    const result = await run(chosen, seed);
    expect(problemsOf(result, seed)).toEqual([]);
  });
});
