import { hashBytes } from '@peerd/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HaveSet } from '../../src/sender/have-set.ts';

const hashOf = (chunk: number): Buffer => Buffer.alloc(hashBytes, (chunk % 255) + 1);

describe('HaveSet', () => {
  test('has exactly the chunks of the runs that were added', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat(6)), { maxLength: 20 }), (gaps) => {
        let end = 0;
        const runs = gaps.map(([gap, count]) => ({ start: (end += gap + count) - count, count }));
        const have = new HaveSet(end);
        const chunks = new Set<number>();
        for (const { start, count } of runs) {
          const indexes = Array.from({ length: count }, (_, at) => start + at);
          have.add(start, Buffer.concat(indexes.map(hashOf)));
          for (const index of indexes) chunks.add(index);
        }
        for (let chunk = 0; chunk < end + 2; chunk += 1) expect(have.hash(chunk)).toEqual(chunks.has(chunk) ? hashOf(chunk) : undefined);
      }),
    );
  });

  test.each([
    ['a run that overlaps the one before', 1, 2],
    ['a run before the one before', 0, 1],
    ['a run behind the end', 9, 2],
    ['a run that starts behind the end', 10, 1],
  ])('refused: %s', (_, start, count) => {
    const have = new HaveSet(10);
    have.add(1, Buffer.alloc(2 * hashBytes));
    expect(() => have.add(start, Buffer.alloc(count * hashBytes))).toThrow(expect.objectContaining({ code: 'malformed_frame' }));
  });

  test('refused: half a hash', () => {
    expect(() => new HaveSet(10).add(0, Buffer.alloc(hashBytes + 1))).toThrow(expect.objectContaining({ code: 'malformed_frame' }));
  });
});
