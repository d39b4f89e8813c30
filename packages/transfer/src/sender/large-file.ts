/** A large file: read by chunk, ahead of the connection, and checked once more after the last one. */
import { close, fstat, read } from 'node:fs';
import { promisify } from 'node:util';
import { chunkContentAt, completeChunk, encodeHole, havePageHashes } from '@peerd/protocol';
import { hash } from '../hashing.ts';
import { chunksOf } from '../manifest/layout.ts';
import { EntryBatch } from '../thread/entry-batch.ts';
import { isSkippable, isWanted, ownRecords, type Piece, type Sending, type SourceFile } from './sending.ts';
import { changed, entryFailureOf, entryFailureOfError } from './source-problems.ts';

const readAt = promisify(read);
const statOf = promisify(fstat);
const closeFile = promisify(close);

class Source {
  readonly file: SourceFile;
  readonly fd: number;
  /** A chunk could not be read: the rest is not tried. */
  failed = false;
  /** The reads under way. */
  #reads: Promise<unknown> = Promise.resolve();

  constructor(file: SourceFile, fd: number) {
    this.file = file;
    this.fd = fd;
  }

  track<T>(reading: Promise<T>): Promise<T> {
    this.#reads = Promise.allSettled([this.#reads, reading]);
    return reading;
  }

  async close(): Promise<void> {
    await this.#reads;
    await closeFile(this.fd);
  }

  async settled(): Promise<void> {
    await this.#reads;
  }
}

export const sendLargeFile = async (sending: Sending, file: SourceFile): Promise<void> => {
  const source = await openSource(sending, file);
  if (source === undefined) return;
  let handedOver = false;
  try {
    const end = file.firstChunk + chunksOf(file.entry.size, sending.chunkSize);
    for (let start = file.firstChunk; start < end; start += havePageHashes) {
      const stop = Math.min(end, start + havePageHashes);
      const own = await ownRecords(sending, start, stop - start);
      for (let chunk = start; chunk < stop && !source.failed; chunk += 1) {
        sending.signal.throwIfAborted();
        if (isSkippable(sending, chunk, own(chunk))) continue;
        const offset = (chunk - file.firstChunk) * sending.chunkSize;
        const length = Math.min(sending.chunkSize, file.entry.size - offset);
        await sending.window.add(length, () => source.track(readChunk(sending, source, chunk, offset, length)));
      }
    }
    await sending.window.add(0, () => {
      handedOver = true;
      return checkAndClose(sending, source);
    });
  } finally {
    if (!handedOver) await source.close();
  }
};

const openSource = async (sending: Sending, file: SourceFile): Promise<Source | undefined> => {
  const batch = new EntryBatch();
  batch.add(file.entry, file.inode);
  try {
    return new Source(file, await sending.thread.call('sourceOpen', { entry: batch.take() }));
  } catch (error) {
    sending.fail(file.index, entryFailureOfError(error));
    return undefined;
  }
};

/** Reads to where the content stands in the frame, so that the frame leaves in one piece. */
const readChunk = async (sending: Sending, source: Source, chunk: number, offset: number, length: number): Promise<Piece | undefined> => {
  const memory = sending.pool.take();
  const release = (): void => sending.pool.give(memory);
  try {
    await sending.stages.time('read', async () => {
      for (let filled = 0; filled < length; ) {
        const { bytesRead } = await readAt(source.fd, memory, chunkContentAt + filled, length - filled, offset + filled);
        if (bytesRead === 0) throw Object.assign(new Error('the file ended early'), { code: changed });
        filled += bytesRead;
      }
    });
  } catch (error) {
    source.failed = true;
    sending.fail(source.file.index, entryFailureOfError(error));
  }
  if (source.failed) {
    release();
    return undefined;
  }
  const content = memory.subarray(chunkContentAt, chunkContentAt + length);
  const isZero = sending.zeros.are(content);
  const chunkHash = isZero ? sending.zeros.hash(length) : sending.stages.timeSync('hash', () => hash(content));
  await sending.journal.room();
  const wanted = isWanted(sending, chunk, chunkHash, length);
  if (wanted && !(isZero && sending.holes)) return { buffers: [completeChunk(memory, chunk, chunkHash, length)], release, chunks: 1, bytes: length };
  release();
  if (!wanted) return undefined;
  return { buffers: [encodeHole(chunk)], chunks: 1, bytes: length };
};

/** What was read is one state of the file only if nothing changed until the last byte was read. */
const checkAndClose = async (sending: Sending, source: Source): Promise<undefined> => {
  await source.settled();
  try {
    const { size, mtimeNs } = await statOf(source.fd, { bigint: true });
    const { entry, index } = source.file;
    const same = size === BigInt(entry.size) && mtimeNs === BigInt(entry.mtime[0]) * 1_000_000_000n + BigInt(entry.mtime[1]);
    if (!same) sending.fail(index, entryFailureOf(changed));
  } finally {
    await source.close();
  }
};
