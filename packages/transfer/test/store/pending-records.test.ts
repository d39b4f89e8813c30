import { hashBytes } from '@peerd/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PendingRecords } from '../../src/store/pending-records.ts';

const chunks = 120;
const recordOf = (value: number): Buffer => Buffer.alloc(hashBytes, value);
const writes = fc.array(fc.tuple(fc.nat({ max: chunks - 1 }), fc.integer({ min: 1, max: 255 })), { maxLength: 200 });

const filled = (pairs: readonly (readonly [number, number])[]): PendingRecords => {
  const pending = new PendingRecords();
  for (const [index, value] of pairs) pending.add(index, recordOf(value));
  return pending;
};

/** As a file has them after each was written at its place. */
const file = (pairs: readonly (readonly [number, number])[]): Buffer => {
  const records = Buffer.alloc(chunks * hashBytes);
  for (const [index, value] of pairs) recordOf(value).copy(records, index * hashBytes);
  return records;
};

describe('pending records', () => {
  test('runs are ascending, apart from one another, and hold the latest record of each chunk', () => {
    fc.assert(
      fc.property(writes, (pairs) => {
        const records = Buffer.alloc(chunks * hashBytes);
        let end = -1;
        for (const run of filled(pairs).runs()) {
          expect(run.start).toBeGreaterThan(end);
          run.records.copy(records, run.start * hashBytes);
          end = run.start + run.records.length / hashBytes;
        }
        expect(records.equals(file(pairs))).toBe(true);
      }),
    );
  });

  test('an overlay shows a part of the file as it will be', () => {
    fc.assert(
      fc.property(writes, fc.nat({ max: chunks - 1 }), fc.nat({ max: chunks }), (pairs, start, count) => {
        const end = Math.min(chunks, start + count);
        const records = Buffer.alloc((end - start) * hashBytes);
        filled(pairs).overlay(start, records);
        expect(records.equals(file(pairs).subarray(start * hashBytes, end * hashBytes))).toBe(true);
      }),
    );
  });

  test('what is appended comes later', () => {
    fc.assert(
      fc.property(writes, writes, (first, second) => {
        const pending = filled(first);
        pending.append(filled(second));
        const records = Buffer.alloc(chunks * hashBytes);
        pending.overlay(0, records);
        expect([pending.count, records.equals(file([...first, ...second]))]).toEqual([first.length + second.length, true]);
      }),
    );
  });
});
