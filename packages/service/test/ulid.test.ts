import { transferIdSchema } from '@peerd/protocol';
import { expect, test } from 'vitest';
import { newUlid } from '../src/index.ts';

test('the first ten characters are the time', () => {
  // The example of the specification, and the first id of this process: later ones never go back.
  expect(newUlid(1_469_918_176_385).slice(0, 10)).toBe('01aryz6s41');
});

test('ids have the shape of a transfer id, ascend and never repeat', () => {
  const times = [Date.now(), Date.now(), Date.now() + 5_000, Date.now() - 5_000];
  const ids = Array.from({ length: 1_000 }, (_, index) => newUlid(times[index % times.length]));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.toSorted()).toEqual(ids);
  for (const id of ids) expect(transferIdSchema.safeParse(id).success).toBe(true);
});
