import { expect, test } from 'vitest';
import { coalesceMs } from '../src/limits.ts';

test('the more peers, the seldomer a room is told, up to a second', () => {
  expect([1, 100, 400, 1_000, 100_000].map(coalesceMs)).toEqual([100, 100, 400, 1_000, 1_000]);
});
