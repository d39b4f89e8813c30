import { expect, test } from 'vitest';
import { createLogLimit } from '../src/log-limit.ts';

const written = (limit: ReturnType<typeof createLogLimit>, message: (index: number) => string, lines: number): number =>
  Array.from({ length: lines }, (_, index) => limit.line(message(index))).filter(({ isWritten }) => isWritten).length;

test('a message that comes without end is left out, others are not, and it is told how many were', () => {
  let now = 0;
  const limit = createLogLimit(() => now);
  expect([written(limit, () => 'flood', 1_000), written(limit, () => 'other', 3)]).toEqual([100, 3]);
  now = 9_999;
  expect(limit.line('flood')).toEqual({ isWritten: false, leftOut: 0 });
  now = 10_000;
  expect([limit.line('other'), limit.line('flood')]).toEqual([{ isWritten: true, leftOut: 901 }, { isWritten: true, leftOut: 0 }]);
});

test('a message that is different each time is bounded too', () => {
  expect(written(createLogLimit(() => 0), (index) => `link to ${index} ended`, 10_000)).toBe(255 + 101);
});
