import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packEntries, unpackEntries } from '../../src/thread/entry-batch.ts';
import { FileThread } from '../../src/thread/file-thread.ts';

/** Every thread that was started in this file. */
const started: Worker[] = [];
const onWorker = (worker: Worker): number => started.push(worker);
beforeAll(() => void process.on('worker', onWorker));
afterAll(() => void process.off('worker', onWorker));

const walk = async (thread: FileThread, path: string): Promise<unknown> => thread.call('walkOpen', { paths: [Buffer.from(path)], name: undefined, workingDirectory: Buffer.from('/'), filter: undefined });

const count = async (): Promise<number> => (await readdir('/proc/self/fd')).length;

describe('file thread', () => {
  test('one worker serves one operation after the other, also behind one that failed', async () => {
    const first = new FileThread();
    await expect(first.call('sourcesRead', { entries: packEntries([]), memory: new Uint8Array(0) })).rejects.toThrow('a call before its resource was opened');
    await first.close();
    await expect(walk(first, '/')).rejects.toThrow('the file thread was closed');
    const before = started.length;
    for (let operation = 0; operation < 3; operation += 1) {
      const thread = new FileThread();
      await walk(thread, '/tmp');
      await Promise.all([thread.close(), thread.close()]);
    }
    expect([before, started.length]).toEqual([1, 1]);
  });

  test('what an operation has left is gone for the next one, its descriptors too', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'file-thread-'));
    try {
      await mkdir(join(directory, 'a/b'), { recursive: true });
      await writeFile(join(directory, 'a/b/file'), 'content');
      const before = await count();
      const thread = new FileThread();
      await thread.call('sourcesOpen', { roots: [{ name: Buffer.from('a'), source: Buffer.from(join(directory, 'a')) }] });
      const entries = packEntries([{ path: ['a', 'b', 'file'].map((component) => Buffer.from(component)), type: 'file', size: 7, mode: 0o644, mtime: [0, 0] }]);
      // Not as the scan saw it.
      expect((await thread.call('sourcesRead', { entries, memory: new Uint8Array(7) })).problems.get(0)).toBe('CHANGED');
      await thread.close();
      const next = new FileThread();
      await expect(next.call('sourcesRead', { entries, memory: new Uint8Array(7) })).rejects.toThrow('a call before its resource was opened');
      await next.close();
      expect(await count()).toBe(before);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('a worker that ended while nobody needed it is replaced; calls that it owed fail', async () => {
    const idle = started.at(-1);
    await idle?.terminate();
    const thread = new FileThread();
    await walk(thread, '/tmp');
    expect(started).toHaveLength(2);
    // Told to end first, or it may have answered before.
    const ending = started.at(-1)?.terminate();
    await Promise.all([expect(walk(thread, '/tmp')).rejects.toThrow('the file thread has ended'), ending]);
    await thread.close();
    const after = new FileThread();
    await walk(after, '/tmp');
    await after.close();
  });

  test('of many that work at once, three are kept', async () => {
    const threads = Array.from({ length: 5 }, () => new FileThread());
    await Promise.all(threads.map((thread) => walk(thread, '/tmp')));
    const alive = started.filter(({ threadId }) => threadId !== -1);
    expect(alive).toHaveLength(5);
    const ended = alive.map((worker) => once(worker, 'exit').then(() => worker));
    await Promise.all(threads.map((thread) => thread.close()));
    await Promise.race(ended);
    await expect.poll(() => started.filter(({ threadId }) => threadId !== -1).length).toBe(3);
  });

  test('beyond eight threads operations share them, and none sees what another has open', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'file-thread-'));
    try {
      for (let index = 0; index < 20; index += 1) await mkdir(join(directory, `${index}`, `in-${index}`), { recursive: true });
      const before = started.length;
      const threads = Array.from({ length: 20 }, () => new FileThread());
      await Promise.all(threads.map((thread, index) => walk(thread, join(directory, `${index}`))));
      expect(started.filter(({ threadId }) => threadId !== -1)).toHaveLength(8);
      // Each second one is over; what the others have open stays.
      await Promise.all(threads.filter((_, index) => index % 2 === 1).map((thread) => thread.close()));
      const left = threads.filter((_, index) => index % 2 === 0);
      const walked = await Promise.all(left.map((thread) => thread.call('walkNext', { limit: 10, skips: 0 })));
      expect(walked.map(({ entries }) => unpackEntries(entries).toArray().map(({ path }) => path.join('/')))).toEqual(left.map((_, at) => [`${at * 2}`, `${at * 2}/in-${at * 2}`]));
      await Promise.all(left.map((thread) => thread.close()));
      expect(started.length - before).toBeLessThanOrEqual(8);
      await expect.poll(() => started.filter(({ threadId }) => threadId !== -1).length).toBe(3);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
