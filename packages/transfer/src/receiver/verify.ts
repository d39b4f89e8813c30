/** After a restart: what the journal claims is hashed again on disk. Missing, short or different means absent. */
import { close } from 'node:fs';
import { promisify } from 'node:util';
import { BufferPool, hashBytes, MiB } from '@peerd/protocol';
import { hash } from '../hashing.ts';
import { chunksOf } from '../manifest/layout.ts';
import type { IndexedEntry, Manifest } from '../manifest/manifest.ts';
import { OrderedWindow } from '../ordered-window.ts';
import type { StageClock } from '../stage-clock.ts';
import type { ChunkJournal } from '../store/chunk-journal.ts';
import { wholeFileBytes } from '../store/finish.ts';
import { EntryBatch, packEntries } from '../thread/entry-batch.ts';
import type { FileThread } from '../thread/file-thread.ts';
import { readChunk } from './read-chunk.ts';

const closeFile = promisify(close);

const readAheadBytes: number = 8 * MiB;
const batchFiles = 256;

interface Verifying {
  readonly manifest: Manifest;
  readonly journal: ChunkJournal;
  readonly thread: FileThread;
  readonly stages: StageClock;
  readonly signal: AbortSignal;
}

/** With memory for one chunk each, used again: fresh memory of this size costs more than reading into it. */
interface Reading extends Verifying {
  readonly pool: BufferPool;
}

/** Clears the claims that are not true. @throws the reason of `signal` */
export const verifyClaims = async (verifying: Verifying): Promise<void> => {
  const { manifest, journal, signal } = verifying;
  const window = new OrderedWindow<readonly number[]>(readAheadBytes, async (untrue) => {
    for (const chunk of untrue) journal.clear(chunk);
    await journal.room();
  });
  const small = new SmallClaims(verifying, window);
  const reading = { ...verifying, pool: new BufferPool(manifest.chunkSize, Math.ceil(readAheadBytes / manifest.chunkSize)) };
  try {
    for (let page = 0; page < manifest.pages; page += 1) {
      const range = manifest.chunkRange(page);
      if (journal.claimed.next(range.start, range.end) === range.end) continue;
      for (const file of (await manifest.decoded(page)).entries) {
        signal.throwIfAborted();
        const end = file.firstChunk + chunksOf(file.entry.size, manifest.chunkSize);
        if (journal.claimed.next(file.firstChunk, end) === end) continue;
        if (file.entry.size <= wholeFileBytes) await small.add(file);
        else await verifyLarge(reading, window, file, end);
      }
    }
    await small.flush();
  } finally {
    await window.drained();
  }
};

class SmallClaims {
  readonly #verifying: Verifying;
  readonly #window: OrderedWindow<readonly number[]>;
  #files: IndexedEntry[] = [];

  constructor(verifying: Verifying, window: OrderedWindow<readonly number[]>) {
    this.#verifying = verifying;
    this.#window = window;
  }

  async add(file: IndexedEntry): Promise<void> {
    this.#files.push(file);
    if (this.#files.length >= batchFiles) await this.flush();
  }

  async flush(): Promise<void> {
    const files = this.#files;
    this.#files = [];
    if (files.length > 0) await this.#window.add(files.reduce((sum, { entry }) => sum + entry.size, 0), () => this.#untrue(files));
  }

  async #untrue(files: readonly IndexedEntry[]): Promise<number[]> {
    const { journal, thread, stages } = this.#verifying;
    const batch = new EntryBatch();
    for (const { entry } of files) batch.add(entry);
    const packed = batch.take();
    const found = Buffer.from(await stages.time('read', () => thread.call('stagedHash', { entries: packed }, [packed])));
    const untrue: number[] = [];
    const first = files[0]?.firstChunk ?? 0;
    const records = await journal.read(first, (files.at(-1)?.firstChunk ?? first) + 1 - first);
    for (const [position, { firstChunk }] of files.entries()) {
      const at = (firstChunk - first) * hashBytes;
      if (records.compare(found, position * hashBytes, (position + 1) * hashBytes, at, at + hashBytes) !== 0) untrue.push(firstChunk);
    }
    return untrue;
  }
}

const verifyLarge = async (reading: Reading, window: OrderedWindow<readonly number[]>, file: IndexedEntry, end: number): Promise<void> => {
  const { manifest, journal, thread, signal } = reading;
  const opened = await thread.call('stagedOpenForRead', { entry: packEntries([file.entry]) });
  const { claimed } = journal;
  if (opened === undefined) {
    for (let chunk = claimed.next(file.firstChunk, end); chunk < end; chunk = claimed.next(chunk + 1, end)) journal.clear(chunk);
    return;
  }
  let reads: Promise<unknown> = Promise.resolve();
  try {
    for (let chunk = claimed.next(file.firstChunk, end); chunk < end; chunk = claimed.next(chunk + 1, end)) {
      signal.throwIfAborted();
      const offset = (chunk - file.firstChunk) * manifest.chunkSize;
      const length = Math.min(manifest.chunkSize, file.entry.size - offset);
      await window.add(length, () => {
        const checking = isTrue(reading, opened.fd, chunk, offset, length);
        reads = Promise.allSettled([reads, checking]);
        return checking.then((isSame) => (isSame ? [] : [chunk]));
      });
    }
  } finally {
    await reads;
    await closeFile(opened.fd);
  }
};

/** A chunk that can't be read is not there: it comes again, and writing it tells more. */
const isTrue = async ({ journal, stages, pool }: Reading, fd: number, chunk: number, offset: number, length: number): Promise<boolean> => {
  const memory = pool.take();
  const content = memory.subarray(0, length);
  try {
    if (!(await stages.time('read', () => readChunk(fd, content, offset)))) return false;
    const found = stages.timeSync('hash', () => hash(content));
    return found.equals(await journal.read(chunk, 1));
  } finally {
    pool.give(memory);
  }
};
