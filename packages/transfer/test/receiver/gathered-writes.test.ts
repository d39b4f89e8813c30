import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GatheredWrites, type WriteSome } from '../../src/receiver/gathered-writes.ts';
import { content } from '../support/content.ts';
import { temporaryDirectory } from '../support/directory.ts';

/** A file in memory whose kernel writes as much as `taken` says of each request, at least a byte. */
const memoryFile = (bytes: number, taken: readonly number[]) => {
  const stands = Buffer.alloc(bytes);
  const requests: { position: number; buffers: number }[] = [];
  let active = 0;
  const write: WriteSome = async (_fd, buffers, position) => {
    active += 1;
    expect(active).toBe(1);
    await Promise.resolve();
    const request = Buffer.concat(buffers);
    const share = taken[requests.length % taken.length] ?? 100;
    const bytesWritten = Math.max(1, Math.floor((request.length * share) / 100));
    request.copy(stands, position, 0, bytesWritten);
    requests.push({ position, buffers: buffers.length });
    active -= 1;
    return { bytesWritten };
  };
  return { stands, requests, write };
};

test('one request at a time; whoever wrote has everything in its place, however little the kernel takes at once', async () => {
  const whole = content(400, 7);
  const cut = fc.uniqueArray(fc.integer({ min: 1, max: 399 }), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(cut, fc.infiniteStream(fc.nat()), fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1 }), async (cuts, order, taken) => {
      const edges = [0, ...cuts.sort((a, b) => a - b), 400];
      const pieces = edges.slice(0, -1).map((start, index) => ({ start, end: edges[index + 1] ?? start }));
      const shuffled = pieces.map((piece) => ({ piece, key: order.next().value ?? 0 })).sort((a, b) => a.key - b.key);
      const { stands, write } = memoryFile(400, taken);
      const writes = new GatheredWrites(0, write);
      await Promise.all(
        shuffled.map(async ({ piece: { start, end } }) => {
          await writes.write(whole.subarray(start, end), start);
          expect(stands.subarray(start, end)).toEqual(whole.subarray(start, end));
        }),
      );
      expect(stands).toEqual(whole);
    }),
  );
});

test('what comes while a write is under way and adjoins goes out as one', async () => {
  const { requests, write } = memoryFile(100, [100]);
  const writes = new GatheredWrites(0, write);
  await Promise.all([0, 10, 20, 30, 50, 60, 40].map((position) => writes.write(Buffer.alloc(10), position)));
  expect(requests).toEqual([{ position: 0, buffers: 1 }, { position: 10, buffers: 3 }, { position: 50, buffers: 2 }, { position: 40, buffers: 1 }]);
});

test('a failure reaches those that it concerns, and later ones are tried', async () => {
  const path = join(await temporaryDirectory(), 'file');
  await using file = await open(path, 'w+');
  await using readOnly = await open(path, 'r');
  const refused = new GatheredWrites(readOnly.fd);
  const outcomes = await Promise.allSettled([0, 1, 2, 9].map((position) => refused.write(Buffer.from('x'), position)));
  expect(outcomes).toEqual(Array.from({ length: 4 }, () => ({ status: 'rejected', reason: expect.objectContaining({ code: 'EBADF' }) })));
  await expect(refused.write(Buffer.from('x'), 0)).rejects.toMatchObject({ code: 'EBADF' });
  const writes = new GatheredWrites(file.fd);
  await Promise.all(['ab', 'cd', 'ef'].map((text, index) => writes.write(Buffer.from(text), 2 * index)));
  expect(await readFile(path, 'utf8')).toBe('abcdef');
});
