import { copyFile, open, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashBytes } from '@peerd/protocol';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { ChunkJournal } from '../../src/store/chunk-journal.ts';
import { temporaryDirectory } from '../support/directory.ts';

const offerRoot = Buffer.alloc(32, 7);
const hashOf = (value: number): Buffer => Buffer.alloc(hashBytes, (value % 255) + 1);
const openAt = (path: string, chunks: number, root = offerRoot): Promise<ChunkJournal> => ChunkJournal.open({ path, chunks, offerRoot: root });

describe('ChunkJournal', () => {
  test('is one record of 32 bytes at each chunk index, and one behind them', async () => {
    const path = join(await temporaryDirectory(), 'journal');
    const journal = await openAt(path, 5);
    journal.set(3, hashOf(3), 100);
    journal.set(0, hashOf(0), 100);
    await journal.close();
    const file = await readFile(path);
    expect(file.length).toBe(6 * hashBytes);
    expect(file.subarray(0, 5 * hashBytes)).toEqual(Buffer.concat([hashOf(0), Buffer.alloc(2 * hashBytes), hashOf(3), Buffer.alloc(hashBytes)]));
  });

  test('any order of records, flushes and restarts leaves what was set last', async () => {
    const directory = await temporaryDirectory();
    let run = 0;
    const stepArbitrary = fc.oneof(
      { weight: 6, arbitrary: fc.tuple(fc.constant('set' as const), fc.nat(39)) },
      { weight: 2, arbitrary: fc.tuple(fc.constant('clear' as const), fc.nat(39)) },
      { weight: 1, arbitrary: fc.tuple(fc.constantFrom('flush' as const, 'restart' as const, 'read' as const), fc.nat(39)) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(stepArbitrary, { maxLength: 60 }), async (steps) => {
        const path = join(directory, `journal-${(run += 1)}`);
        let journal = await openAt(path, 40);
        const model = new Map<number, Buffer>();
        const expected = (): Buffer => Buffer.concat(Array.from({ length: 40 }, (_, index) => model.get(index) ?? Buffer.alloc(hashBytes)));
        for (const [at, [step, index]] of steps.entries()) {
          if (step === 'set') {
            journal.set(index, hashOf(at), 1);
            journal.counters.received += 1;
            model.set(index, hashOf(at));
          } else if (step === 'clear') {
            journal.clear(index);
            model.delete(index);
          } else if (step === 'flush') await journal.flush();
          else if (step === 'read') expect(await journal.read(0, 40)).toEqual(expected());
          else {
            const { counters } = journal;
            await journal.close();
            journal = await openAt(path, 40);
            expect(journal.counters).toEqual(counters);
          }
          expect(journal.readSync(0, 40)).toEqual(expected());
          expect([...journal.claimed.runs(1)].map(({ start }) => start)).toEqual([...model.keys()].sort((a, b) => a - b));
        }
        await journal.close();
      }),
      { numRuns: 60 },
    );
  });

  test('lags at most 250 ms, without anybody asking', async () => {
    const path = join(await temporaryDirectory(), 'journal');
    const journal = await openAt(path, 2);
    journal.set(1, hashOf(1), 1);
    await vi.waitFor(async () => expect((await readFile(path)).subarray(hashBytes, 2 * hashBytes)).toEqual(hashOf(1)), { timeout: 10_000, interval: 10 });
    await journal.close();
  });

  test('lags at most 32 MiB: whoever waits for room finds the records on disk', async () => {
    const path = join(await temporaryDirectory(), 'journal');
    const journal = await openAt(path, 100);
    for (let chunk = 0; chunk < 100; chunk += 1) {
      journal.set(chunk, hashOf(chunk), 1024 * 1024);
      await journal.room();
      const written = (await readFile(path)).subarray(0, (chunk + 1) * hashBytes);
      for (let old = 0; old <= chunk - 32; old += 1) expect(written.subarray(old * hashBytes, (old + 1) * hashBytes)).toEqual(hashOf(old));
    }
    await journal.close();
  });

  test('one that belongs to another manifest, or is cut off, is emptied', async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'journal');
    const journal = await openAt(path, 4);
    journal.set(2, hashOf(2), 1);
    await journal.close();
    await copyFile(path, `${path}-cut`);
    await truncate(`${path}-cut`, 4 * hashBytes + 10);
    await writeFile(`${path}-garbage`, Buffer.alloc(5 * hashBytes, 9));
    const others = [await openAt(`${path}-cut`, 4), await openAt(`${path}-garbage`, 4), await openAt(path, 4, Buffer.alloc(32, 8))];
    for (const other of others) {
      expect(other.claimed.count).toBe(0);
      expect(other.readSync(0, 4)).toEqual(Buffer.alloc(4 * hashBytes));
      await other.close();
    }
  });

  test('one whose counters nobody can have counted to is emptied', async () => {
    const path = join(await temporaryDirectory(), 'journal');
    const journal = await openAt(path, 2);
    journal.set(1, hashOf(1), 100);
    await journal.close();
    const file = await open(path, 'r+');
    await file.write(Buffer.alloc(8, 0xff), 0, 8, 2 * hashBytes + 16);
    await file.close();
    const again = await openAt(path, 2);
    expect([again.counters, again.claimed.count]).toEqual([{ received: 0, rewritten: 0 }, 0]);
    await again.close();
  });

  test('a seal survives a restart; one whose writing was interrupted does not count', async () => {
    const path = join(await temporaryDirectory(), 'journal');
    const journal = await openAt(path, 3);
    journal.set(1, hashOf(1), 1);
    await journal.seal(Buffer.from('a longer content'), true);
    await journal.seal(Buffer.from('content'), false);
    await journal.close();
    const again = await openAt(path, 3);
    expect(again.sealed?.toString()).toBe('content');
    expect(again.claimed.has(1)).toBe(true);
    await again.close();
    const { length } = await readFile(path);
    for (let cut = length - 1; cut >= 4 * hashBytes; cut -= 1) {
      await truncate(path, cut);
      const torn = await openAt(path, 3);
      expect(torn.sealed?.toString()).toBe(cut >= 4 * hashBytes + 36 + 'a longer content'.length ? 'a longer content' : undefined);
      await torn.close();
    }
  });

  test('to look into, it is neither made nor changed', async () => {
    const path = join(await temporaryDirectory(), 'journal');
    expect(await ChunkJournal.openToRead({ path, chunks: 3, offerRoot })).toBeUndefined();
    const owner = await openAt(path, 3);
    owner.set(0, hashOf(0), 1);
    owner.counters.received = 1;
    const reader = await ChunkJournal.openToRead({ path, chunks: 3, offerRoot });
    await owner.flush();
    expect(await reader?.read(0, 3)).toEqual(Buffer.concat([hashOf(0), Buffer.alloc(2 * hashBytes)]));
    await reader?.close();
    await owner.close();
    const again = await openAt(path, 3);
    expect(again.counters.received).toBe(1);
    await again.close();
  });

  test('a failed flush is reported to whoever waits, and its records are written once it works again', async () => {
    const path = join(await temporaryDirectory(), 'journal');
    const journal = await openAt(path, 3);
    const probe = await open(path, 'r');
    const prototype = Object.getPrototypeOf(probe) as { write: () => Promise<never> };
    const broken = vi.spyOn(prototype, 'write').mockRejectedValueOnce(Object.assign(new Error('full'), { code: 'ENOSPC', errno: -28 }));
    journal.set(0, hashOf(0), 1);
    await expect(journal.flush()).rejects.toMatchObject({ code: 'no_space' });
    await expect(journal.room()).rejects.toMatchObject({ code: 'no_space' });
    broken.mockRestore();
    journal.forgetFailure();
    await journal.flush();
    expect((await readFile(path)).subarray(0, hashBytes)).toEqual(hashOf(0));
    await probe.close();
    await journal.close();
  });
});
