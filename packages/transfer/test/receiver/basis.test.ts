import { execFileSync } from 'node:child_process';
import { mkdir, readFile, stat, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Receiver, StageClock } from '../../src/index.ts';
import { content } from '../support/content.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { Broken, chunkSize, flow, offer, type Offered, place } from '../support/transfer.ts';

const never = new AbortController().signal;
const data = content(10 * chunkSize + 100, 3);

interface World {
  readonly state: string;
  readonly destination: string;
  readonly offered: Offered;
}

/** `d/file` is offered, and whatever `before` has made stands in the destination. */
const world = async (before: (destination: string) => Promise<unknown>, sent: Buffer = data): Promise<World> => {
  const root = await temporaryDirectory();
  const [source, state, destination] = ['source', 'state', 'destination'].map((part) => join(root, part)) as [string, string, string];
  for (const path of [join(source, 'd'), state, join(destination, 'd')]) await mkdir(path, { recursive: true });
  await writeFile(join(source, 'd', 'file'), sent);
  await before(destination);
  const offered = await offer(state, [join(source, 'd')]);
  onTestFinished(async () => {
    await offered.sender.close();
    await offered.receiver.close();
  });
  return { state, destination, offered };
};

const opened = async ({ state, destination, offered }: World, useBasis = true): Promise<Receiver> => {
  const receiver = await Receiver.open({ manifest: offered.receiver, destination, stagingName: 'test', journalPath: join(state, 'receiver.journal'), stages: new StageClock(), useBasis });
  onTestFinished(() => receiver.close());
  return receiver;
};

/** @returns how many chunks travelled */
const finish = async (where: World, receiver: Receiver, expected: Buffer = data): Promise<number> => {
  const { contentRoot, sent } = await flow({ ...where, receiver });
  await receiver.complete(contentRoot);
  expect(receiver.bytesDone).toBe(where.offered.scan.bytes);
  expect(receiver.counters.rewritten).toBe(0);
  await place(receiver, { conflict: 'overwrite' });
  expect((await readFile(join(where.destination, 'd', 'file'))).equals(expected)).toBe(true);
  return sent;
};

const changed = (...chunks: number[]): Buffer => {
  const copy = Buffer.from(data);
  for (const chunk of chunks) copy[chunk * chunkSize + 7] = (copy[chunk * chunkSize + 7] ?? 0) ^ 1;
  return copy;
};
const there = (content: Buffer) => (destination: string): Promise<void> => writeFile(join(destination, 'd', 'file'), content);

describe('a file of the same path in the destination', () => {
  test.each([
    ['the same', data, 0],
    ['two chunks are different', changed(2, 7), 2],
    ['the last, short chunk is different', changed(10), 1],
    ['shorter', data.subarray(0, 4 * chunkSize + 9), 7],
    ['longer', Buffer.concat([data, content(3 * chunkSize)]), 0],
    ['everything is different', content(data.length, 99), 11],
    ['less than a chunk', data.subarray(0, 100), 11],
    ['empty', Buffer.alloc(0), 11],
  ])('%s: what they have in common does not travel', async (_, before, travels) => {
    const where = await world(there(before));
    const receiver = await opened(where);
    expect(await finish(where, receiver)).toBe(travels);
    expect(receiver.counters).toEqual({ received: travels, reused: 11 - travels, rewritten: 0 });
  });

  test('without the option nothing is taken from it', async () => {
    const where = await world(there(data));
    expect(await finish(where, await opened(where, false))).toBe(11);
  });

  test('it is not touched before the new one is placed', async () => {
    const where = await world(there(changed(1)));
    const path = join(where.destination, 'd', 'file');
    const receiver = await opened(where);
    const before = await stat(path, { bigint: true });
    const { contentRoot } = await flow({ ...where, receiver });
    await receiver.complete(contentRoot);
    const after = await stat(path, { bigint: true });
    expect([after.ino, after.mtimeNs, after.ctimeNs]).toEqual([before.ino, before.mtimeNs, before.ctimeNs]);
  });

  test('nothing of it is written before the sender has left it out', async () => {
    const where = await world(there(data));
    const receiver = await opened(where);
    const { contentRoot } = await flow({ ...where, receiver });
    const staged = join(where.destination, '.peerd-test', 't', 'd', 'file');
    expect(await readFile(staged).catch(() => Buffer.alloc(0))).toHaveLength(0);
    await receiver.complete(contentRoot);
    expect((await readFile(staged)).equals(data)).toBe(true);
  });

  test.each([
    ['is changed', (path: string) => writeFile(path, changed(1, 2, 5)), 2],
    ['becomes shorter', (path: string) => truncate(path, 4 * chunkSize), 7],
    ['is removed', (path: string) => unlink(path), 10],
  ])('what %s while content travels is noticed, and comes in the next round', async (_, change, again) => {
    const where = await world(there(changed(1)));
    const receiver = await opened(where);
    const { contentRoot, sent } = await flow({ ...where, receiver });
    expect(sent).toBe(1);
    await change(join(where.destination, 'd', 'file'));
    await expect(receiver.complete(contentRoot)).rejects.toMatchObject({ code: 'integrity', message: `${again} chunks have not arrived` });
    expect(await finish(where, receiver)).toBe(again);
  });

  test('what stands in the place of a file, or above it, is not opened or followed', async () => {
    for (const make of [
      async (destination: string) => symlink('../other', join(destination, 'd', 'file')).then(() => writeFile(join(destination, 'other'), data)),
      async (destination: string) => execFileSync('mkfifo', [join(destination, 'd', 'file')]),
      async (destination: string) => mkdir(join(destination, 'd', 'file')),
    ]) {
      const where = await world(make);
      const receiver = await opened(where);
      const { sent } = await flow({ ...where, receiver });
      expect(sent).toBe(11);
    }
    const where = await world(async (destination) => {
      const elsewhere = join(destination, '..', 'elsewhere');
      await mkdir(elsewhere);
      await writeFile(join(elsewhere, 'file'), data);
      execFileSync('rmdir', [join(destination, 'd')]);
      await symlink(elsewhere, join(destination, 'd'));
    });
    expect((await flow({ ...where, receiver: await opened(where) })).sent).toBe(11);
  });

  test('chunks of zeros over other content, and other content over zeros', async () => {
    const hollow = Buffer.from(data);
    hollow.fill(0, 2 * chunkSize, 4 * chunkSize);
    const one = await world(there(data), hollow);
    expect(await finish(one, await opened(one), hollow)).toBe(2);
    const other = await world(there(hollow));
    expect(await finish(other, await opened(other))).toBe(2);
  });

  test('interrupted again and again: all of it arrives, and nothing is rewritten', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat(10), { maxLength: 8 }),
        fc.array(fc.record({ breakAfter: fc.integer({ min: 1, max: 500_000 }), restart: fc.boolean() }), { maxLength: 3 }),
        async (different, interruptions) => {
          const where = await world(there(changed(...different)));
          let receiver = await opened(where);
          let travelled = 0;
          for (const { breakAfter, restart } of interruptions) {
            await flow({ ...where, receiver, breakAfter }).catch((error: unknown) => {
              if (!(error instanceof Broken)) throw error;
            });
            if (!restart) continue;
            await receiver.close();
            receiver = await opened(where);
          }
          await receiver.verify(never);
          travelled = receiver.counters.received;
          travelled += await finish(where, receiver);
          expect(travelled).toBe(different.length);
        },
      ),
      { numRuns: 25 },
    );
  }, 60_000);
});
