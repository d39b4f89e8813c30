import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RateMeter } from '../../src/send/rate.ts';

const meter = (...samples: readonly (readonly [at: number, bytes: number])[]): RateMeter => {
  const made = new RateMeter();
  for (const [at, bytes] of samples) made.add(at, bytes);
  return made;
};

test('nothing is told from one sample', () => {
  expect(meter([0, 100]).rate(10)).toBeUndefined();
  expect(meter([0, 100]).remaining(10, 1000)).toBeUndefined();
});

test('bytes per second and time to go', () => {
  const made = meter([0, 0], [500, 500], [1000, 1000]);
  expect(made.rate(1000)).toBe(1000);
  expect(made.remaining(1000, 5000)).toBe(4000);
});

test('only the last seconds count', () => {
  const samples = Array.from({ length: 41 }, (_, index) => [index * 250, index < 20 ? 0 : (index - 20) * 250] as const);
  expect(meter(...samples).rate(10_000)).toBeCloseTo(1000, 0);
});

test('a stall lets the rate fall', () => {
  const made = meter([0, 0], [1000, 1000]);
  expect(made.rate(1500)).toBe(1000);
  expect(made.rate(10_000)).toBe(100);
});

test('bytes that are taken back begin anew', () => {
  expect(meter([0, 0], [1000, 1000], [2000, 500]).rate(2000)).toBeUndefined();
});

test('never negative, never NaN', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(1000), fc.nat(10_000))), (steps) => {
      const made = new RateMeter();
      let at = 0;
      for (const [ms, bytes] of steps) {
        at += ms;
        made.add(at, bytes);
        const rate = made.rate(at);
        expect(rate === undefined || (Number.isFinite(rate) && rate >= 0)).toBe(true);
        const remaining = made.remaining(at, 10_000);
        expect(remaining === undefined || (Number.isFinite(remaining) && remaining >= 0)).toBe(true);
      }
    }),
  );
});
