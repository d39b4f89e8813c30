import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IndexSet } from '../../src/store/index-set.ts';

test('behaves as a set of numbers', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.array(fc.tuple(fc.nat(199), fc.boolean()), { maxLength: 150 }), fc.integer({ min: 1, max: 20 }), (size, changes, longest) => {
      const bitmap = new IndexSet(size);
      const set = new Set<number>();
      for (const [number, add] of changes) {
        const index = number % size;
        if (add) bitmap.set(index);
        else bitmap.clear(index);
        if (add) set.add(index);
        else set.delete(index);
      }
      const expected = [...set].sort((a, b) => a - b);
      expect(bitmap.count).toBe(set.size);
      const runs = [...bitmap.copy().runs(longest)];
      expect(runs.flatMap(({ start, count }) => Array.from({ length: count }, (_, at) => start + at))).toEqual(expected);
      for (const { count } of runs) expect(count).toBeLessThanOrEqual(longest);
      for (let from = 0; from <= size; from += 1) expect(bitmap.next(from)).toBe(expected.find((index) => index >= from) ?? size);
    }),
  );
});
