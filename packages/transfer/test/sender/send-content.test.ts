import { spawnSync } from 'node:child_process';
import { appendFile, mkdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chunkFrameType, dataBounds, decodeChunk, decodeHole, decodePack, FrameDecoder, hashBytes, holeFrameType } from '@peerd/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HaveSet, Manifest, Pacer, scanSources, type ScanResult, sendContent, StageClock } from '../../src/index.ts';
import { hash } from '../../src/hashing.ts';
import { content } from '../support/content.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { makeFifo } from '../support/trees.ts';

const chunkSize = 64 * 1024;
const never = new AbortController().signal;

interface Source {
  readonly root: string;
  readonly scan: ScanResult;
  readonly manifest: Manifest;
  /** Entry index by path. */
  readonly index: ReadonlyMap<string, number>;
}

const prepare = async (files: Record<string, Buffer>): Promise<Source> => {
  const root = await temporaryDirectory();
  for (const [path, data] of Object.entries(files)) {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), data);
  }
  const names = [...new Set(Object.keys(files).map((path) => path.split('/')[0] ?? ''))];
  const manifestPath = join(root, 'manifest');
  const scan = await scanSources({ paths: names.map((name) => Buffer.from(join(root, name))), manifestPath, chunkSize, signal: never });
  const manifest = await Manifest.open(manifestPath, chunkSize);
  onTestFinished(() => manifest.close());
  const index = new Map<string, number>();
  for await (const entry of manifest.entries()) index.set(Buffer.concat(entry.entry.path.flatMap((part) => [Buffer.from('/'), part])).toString().slice(1), entry.index);
  return { root, scan, manifest, index };
};

interface Sent {
  readonly chunks: Map<number, { hash: Buffer; content: Buffer }>;
  /** Chunks that came as holes. */
  readonly holes: readonly number[];
  readonly failed: Map<number, string>;
  readonly contentRoot: Buffer;
  readonly stages: StageClock;
}

const send = async (source: Source, options: { have?: HaveSet; holes?: boolean; signal?: AbortSignal; pacers?: Pacer[]; alreadyFailed?: Set<number>; onWrite?: (writes: number) => Promise<void> | void } = {}): Promise<Sent> => {
  const chunks: Sent['chunks'] = new Map();
  const failed: Sent['failed'] = new Map();
  const holes: number[] = [];
  const decoder = new FrameDecoder(dataBounds);
  const stages = new StageClock();
  let writes = 0;
  let reported = 0;
  const { contentRoot, failed: failures } = await sendContent({
    manifest: source.manifest,
    roots: source.scan.roots,
    journalPath: join(source.root, 'journal'),
    have: options.have ?? new HaveSet(source.scan.chunks),
    ...(options.holes === undefined ? {} : { holes: options.holes }),
    alreadyFailed: options.alreadyFailed ?? new Set(),
    pacers: options.pacers ?? [],
    sink: {
      write: async (buffers, release) => {
        writes += 1;
        await options.onWrite?.(writes);
        for (const frame of decoder.push(Buffer.concat(buffers)))
          if (frame.type === holeFrameType) holes.push(decodeHole(frame.payload));
          else for (const chunk of frame.type === chunkFrameType ? [decodeChunk(frame.payload)] : decodePack(frame.payload)) {
            expect(chunks.has(chunk.index)).toBe(false);
            expect(hash(chunk.content)).toEqual(chunk.hash);
            chunks.set(chunk.index, { hash: Buffer.from(chunk.hash), content: Buffer.from(chunk.content) });
          }
        // As a socket does: the memory is free a little later, and somebody may write to it then.
        if (release)
          setImmediate(() => {
            for (const buffer of buffers) buffer.fill(0xee);
            release();
          });
      },
    },
    onEntryFailed: (entry, code, message) => {
      expect(failed.has(entry)).toBe(false);
      expect(message).not.toBe('');
      failed.set(entry, code);
    },
    onChunksSent: (count) => {
      reported += count;
    },
    stages,
    signal: options.signal ?? never,
  });
  expect(reported).toBe(chunks.size + holes.length);
  expect(failures).toBe(failed.size + (options.alreadyFailed?.size ?? 0));
  return { chunks, holes, failed, contentRoot, stages };
};

const haveOf = (source: Source, sent: Sent, indexes: Iterable<number>): HaveSet => {
  const have = new HaveSet(source.scan.chunks);
  for (const index of indexes) have.add(index, sent.chunks.get(index)?.hash ?? Buffer.alloc(hashBytes));
  return have;
};

const codes = (source: Source, sent: Sent): Record<string, string> => Object.fromEntries([...source.index].flatMap(([path, index]) => (sent.failed.has(index) ? [[path, sent.failed.get(index) ?? '']] : [])));

const files = { 'd/large': content(4 * chunkSize + 5, 1), 'd/small': content(700, 2), 'd/tiny': content(1, 3), 'd/zero': Buffer.alloc(0), 'last': content(2 * chunkSize, 4) };

describe('sendContent', () => {
  test('sends each chunk once, and the roots are made as the protocol says', async () => {
    const source = await prepare(files);
    const sent = await send(source);
    expect([...sent.chunks.keys()].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    const chunked = (data: Buffer): Buffer[] => Array.from({ length: Math.ceil(data.length / chunkSize) }, (_, at) => data.subarray(at * chunkSize, (at + 1) * chunkSize));
    const roots = Object.values(files).map((data) => hash(Buffer.concat(chunked(data).map(hash))));
    expect(sent.contentRoot).toEqual(hash(Buffer.concat([source.scan.offerRoot, ...roots])));
    expect(sent.stages.times.read).toBeGreaterThan(0);
    const journal = await readFile(join(source.root, 'journal'));
    for (const [index, chunk] of sent.chunks) expect(journal.subarray(index * hashBytes, (index + 1) * hashBytes)).toEqual(chunk.hash);
  });

  test('chunks of zeros go as holes, only to a receiver that takes them, and the root is the same', async () => {
    const almost = Buffer.alloc(chunkSize);
    almost[chunkSize - 1] = 1;
    const source = await prepare({ hollow: Buffer.concat([Buffer.alloc(chunkSize), almost, Buffer.alloc(2 * chunkSize + 7)]), small: Buffer.alloc(100) });
    const plain = await send(source);
    expect([plain.chunks.size, plain.holes]).toEqual([6, []]);
    const short = await send(source, { holes: true });
    expect([[...short.chunks.keys()].sort((a, b) => a - b), short.holes]).toEqual([[1, 5], [0, 2, 3, 4]]);
    expect(short.contentRoot).toEqual(plain.contentRoot);
    expect((await send(source, { holes: true, have: haveOf(source, plain, [0, 1, 3, 4]) })).holes).toEqual([2]);
  });

  test('what travels of holes is what the rate limit counts', async () => {
    const source = await prepare({ hollow: Buffer.alloc(100 * chunkSize) });
    const turns: number[] = [];
    const pacer = new Pacer(1_000_000_000);
    const turn = pacer.turn.bind(pacer);
    pacer.turn = (bytes, signal) => {
      turns.push(bytes);
      return turn(bytes, signal);
    };
    await send(source, { holes: true, pacers: [pacer] });
    expect(turns).toEqual(Array.from({ length: 100 }, () => 13));
  });

  test('what the receiver has is not sent; from its own journal it need not even be read', async () => {
    const source = await prepare(files);
    const first = await send(source);
    const have = (): HaveSet => haveOf(source, first, [0, 2, 5]);
    const second = await send(source, { have: have() });
    expect([...second.chunks.keys()].sort((a, b) => a - b)).toEqual([1, 3, 4, 6, 7, 8]);
    // The journal is what saves reading: with a wrong record the chunk is read, and found to be there all the same.
    const journal = await readFile(join(source.root, 'journal'));
    journal.fill(1, 0, hashBytes);
    await writeFile(join(source.root, 'journal'), journal);
    expect([...(await send(source, { have: have() })).chunks.keys()].sort((a, b) => a - b)).toEqual([1, 3, 4, 6, 7, 8]);
    await rm(join(source.root, 'journal'));
    const without = await send(source, { have: have() });
    expect([...without.chunks.keys()].sort((a, b) => a - b)).toEqual([1, 3, 4, 6, 7, 8]);
    expect([second.contentRoot, without.contentRoot]).toEqual([first.contentRoot, first.contentRoot]);
    const nothing = await send(source, { have: haveOf(source, first, first.chunks.keys().toArray().sort((a, b) => a - b)) });
    expect(nothing.chunks.size).toBe(0);
    expect(nothing.contentRoot).toEqual(first.contentRoot);
  });

  test('a chunk of which the receiver has something else is sent', async () => {
    const source = await prepare(files);
    const have = new HaveSet(source.scan.chunks);
    have.add(1, Buffer.alloc(2 * hashBytes, 9));
    have.add(5, Buffer.alloc(hashBytes, 9));
    expect((await send(source, { have })).chunks.size).toBe(9);
  });

  test('a file that changed since the offer fails, the rest is sent', async () => {
    const source = await prepare(files);
    await appendFile(join(source.root, 'd/large'), 'x');
    await utimes(join(source.root, 'd/small'), 1, 1);
    await rm(join(source.root, 'last'));
    await writeFile(join(source.root, 'd/tiny.new'), content(1, 3));
    await rename(join(source.root, 'd/tiny.new'), join(source.root, 'd/tiny'));
    const sent = await send(source);
    expect(codes(source, sent)).toEqual({ 'd/large': 'source_changed', 'd/small': 'source_changed', 'd/tiny': 'source_changed', last: 'source_missing' });
    expect(sent.chunks.size).toBe(0);
    const zero = Buffer.alloc(32);
    expect(sent.contentRoot).toEqual(hash(Buffer.concat([source.scan.offerRoot, zero, zero, zero, hash(Buffer.alloc(0)), zero])));
  });

  test('another file with the same size and time in its place is a change too', async () => {
    const source = await prepare({ file: content(100, 1) });
    await writeFile(join(source.root, 'other'), content(100, 2));
    expect(spawnSync('touch', ['-r', join(source.root, 'file'), join(source.root, 'other')]).status).toBe(0);
    await rename(join(source.root, 'other'), join(source.root, 'file'));
    expect(codes(source, await send(source))).toEqual({ file: 'source_changed' });
  });

  test('a change counts even when the receiver has every chunk', async () => {
    const source = await prepare(files);
    const first = await send(source);
    await utimes(join(source.root, 'd/large'), 1, 1);
    await utimes(join(source.root, 'd/small'), 1, 1);
    const again = await send(source, { have: haveOf(source, first, first.chunks.keys().toArray().sort((a, b) => a - b)) });
    expect(codes(source, again)).toEqual({ 'd/large': 'source_changed', 'd/small': 'source_changed' });
  });

  test.each([
    ['grows', async (path: string) => appendFile(path, 'more')],
    ['is cut off', async (path: string) => writeFile(path, content(10 * 1024 * 1024, 1))],
    ['is written to', async (path: string) => writeFile(path, content(40 * 1024 * 1024, 2))],
  ])('a file that %s while it is sent fails', async (_, change) => {
    const source = await prepare({ big: content(40 * 1024 * 1024, 1), tail: content(10, 2) });
    const sent = await send(source, { onWrite: async (writes) => (writes === 2 ? change(join(source.root, 'big')) : undefined) });
    expect(codes(source, sent)).toEqual({ big: 'source_changed' });
    expect(sent.chunks.has(source.scan.chunks - 1)).toBe(true);
  });

  test('a directory that becomes a symbolic link leads nowhere', async () => {
    const source = await prepare({ 'd/in/large': content(3 * chunkSize, 1), 'd/in/small': content(20, 2), 'e': content(5, 3) });
    await mkdir(join(source.root, 'secret'));
    for (const name of ['large', 'small']) await rename(join(source.root, 'd/in', name), join(source.root, 'secret', name));
    await rm(join(source.root, 'd/in'), { recursive: true });
    await symlink('../secret', join(source.root, 'd/in'));
    const sent = await send(source);
    // Same files, same inodes, same times: still not what was offered under this name.
    expect(codes(source, sent)).toEqual({ 'd/in/large': 'source_changed', 'd/in/small': 'source_changed' });
    expect(sent.chunks.size).toBe(1);
  });

  test('a FIFO or a link in the place of a file is noticed, and nothing blocks', async () => {
    const source = await prepare({ fifo: content(10, 1), large: content(2 * chunkSize, 1), link: content(10, 1), 'large link': content(2 * chunkSize, 1) });
    for (const name of ['fifo', 'large', 'link', 'large link']) await rename(join(source.root, name), join(source.root, `${name}.real`));
    for (const name of ['fifo', 'large']) makeFifo(join(source.root, name));
    for (const name of ['link', 'large link']) await symlink(`${name}.real`, join(source.root, name));
    const sent = await send(source);
    expect(codes(source, sent)).toEqual({ fifo: 'source_changed', large: 'source_changed', link: 'source_changed', 'large link': 'source_changed' });
  });

  test('entries that failed before are left out without another report', async () => {
    const source = await prepare(files);
    const sent = await send(source, { alreadyFailed: new Set([source.index.get('d/large') ?? 0, source.index.get('d/small') ?? 0]) });
    expect(sent.failed.size).toBe(0);
    expect([...sent.chunks.keys()].sort((a, b) => a - b)).toEqual([6, 7, 8]);
  });

  test('an abort ends it with its reason, even while the sink is full', async () => {
    const source = await prepare({ big: content(20 * 1024 * 1024, 1) });
    const controller = new AbortController();
    const reason = new Error('stop');
    const sending = send(source, {
      signal: controller.signal,
      onWrite: async (writes) => {
        if (writes < 3) return;
        controller.abort(reason);
        await new Promise(() => undefined);
      },
    });
    await expect(sending).rejects.toBe(reason);
    await expect(send(source, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test('an error of the sink ends it, and the next try sends the rest', async () => {
    const source = await prepare(files);
    const failing = send(source, {
      onWrite: (writes) => {
        if (writes === 3) throw new Error('link lost');
      },
    });
    await expect(failing).rejects.toThrow('link lost');
    expect((await send(source)).chunks.size).toBe(9);
  });

  test('at most 8 MiB and the chunk on its way are read ahead of a sink that is full', async () => {
    const source = await prepare({ big: content(40 * 1024 * 1024, 1) });
    const journal = async (): Promise<number> => {
      const records = await readFile(join(source.root, 'journal'));
      return Array.from({ length: source.scan.chunks }, (_, at) => records.subarray(at * hashBytes, (at + 1) * hashBytes)).filter((record) => record.some((byte) => byte !== 0)).length;
    };
    const controller = new AbortController();
    let settled = 0;
    const sending = send(source, {
      signal: controller.signal,
      onWrite: async () => {
        // Long enough for the journal, which is written within 250 ms of each read.
        for (let before = -1; before !== settled; before = await journal()) {
          settled = await journal();
          await new Promise((resolve) => setTimeout(resolve, 600));
        }
        controller.abort(new Error('seen'));
      },
    });
    await expect(sending).rejects.toThrow('seen');
    expect(settled).toBeGreaterThan(0);
    expect(settled * chunkSize).toBeLessThanOrEqual(8 * 1024 * 1024);
  });
});
