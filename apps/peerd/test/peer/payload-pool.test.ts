import { KiB, maxChunkSize, MiB } from '@peerd/protocol';
import { expect, test } from 'vitest';
import { memoryBytesFor, PayloadPool } from '../../src/peer/payload-pool.ts';

test('sizes: enough for a payload, and little more than twice as much', () => {
  for (const length of [1, 64 * KiB, 128 * KiB, 128 * KiB + 1, MiB, MiB + 45, MiB + 44 * KiB, maxChunkSize + 40]) {
    const bytes = memoryBytesFor(length);
    expect(bytes).toBeGreaterThanOrEqual(length);
    expect(bytes).toBeLessThanOrEqual(Math.max(128 * KiB, 2 * length + 64 * KiB));
  }
  expect([memoryBytesFor(MiB + 40), memoryBytesFor(maxChunkSize + 40)]).toEqual([MiB + 64 * KiB, maxChunkSize + 64 * KiB]);
});

test('what was given back serves the next one of its size; the oldest gives way, and is freed', () => {
  const pool = new PayloadPool(500);
  const [a, b, c] = [pool.take(200), pool.take(200), pool.take(300)];
  for (const memory of [a, b, c]) pool.give(memory);
  expect([a, b, c].map(({ length }) => length)).toEqual([0, 200, 300]);
  expect([pool.take(200), pool.take(300)]).toEqual([b, c]);
  expect(pool.take(200).buffer).not.toBe(b.buffer);
  pool.give(b);
  pool.clear();
  expect(b.length).toBe(0);
});
