import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quantile, spreadOf } from '../measure/statistics.ts';

const values = fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 50 });

describe('statistics', () => {
  test('the median of a few', () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
    expect(spreadOf([4, 1, 2, 3]).median).toBe(2.5);
    expect(quantile([7], 0.99)).toBe(7);
    expect(quantile([0, 100], 0.99)).toBe(99);
  });

  test('a quantile lies between the ends, and grows with its share', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (some, one, other) => {
        const [low, high] = [quantile(some, Math.min(one, other)), quantile(some, Math.max(one, other))];
        const slack = 1e-6 * Math.max(1, ...some);
        return low <= high + slack && low >= Math.min(...some) - slack && high <= Math.max(...some) + slack;
      }),
    );
  });

  test('of nothing there is none', () => {
    expect(() => quantile([], 0.5)).toThrow(RangeError);
  });
});
