import { describe, expect, test } from 'vitest';
import { insist } from '../../src/net/insist.ts';

const failing = (times: number): { attempt: () => Promise<string>; attempts: () => number } => {
  let count = 0;
  return {
    attempts: () => count,
    attempt: async () => {
      count += 1;
      if (count <= times) throw new Error(`no ${count}`);
      return 'done';
    },
  };
};

describe('insisting', () => {
  test('tries until it succeeds, and tells of the first failure only', async () => {
    const told: string[] = [];
    const { attempt, attempts } = failing(4);
    expect(await insist(attempt, { signal: new AbortController().signal, onFailure: (error) => told.push((error as Error).message), firstPauseMs: 1 })).toBe('done');
    expect([attempts(), told]).toEqual([5, ['no 1']]);
  });

  test('what will not pass ends it', async () => {
    const { attempt, attempts } = failing(4);
    const mayPass = (error: unknown): boolean => (error as Error).message !== 'no 2';
    await expect(insist(attempt, { signal: new AbortController().signal, onFailure: () => {}, mayPass, firstPauseMs: 1 })).rejects.toThrow('no 2');
    expect(attempts()).toBe(2);
  });

  test('the signal ends it, also in the middle of a pause', async () => {
    const over = new AbortController();
    const { attempt, attempts } = failing(4);
    const insisting = insist(attempt, { signal: over.signal, onFailure: () => over.abort(), firstPauseMs: 1_000_000 });
    await expect(insisting).rejects.toThrow('no 1');
    await expect(insist(attempt, { signal: over.signal, onFailure: () => {} })).rejects.toThrow('no 2');
    expect(attempts()).toBe(2);
  });
});
