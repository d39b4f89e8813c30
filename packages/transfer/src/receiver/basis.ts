/**
 * A file of the same path in the destination is the basis of the new one: of a file that changed a little, only that travels.
 *
 * 1. `hashBasis`, before anything travels: its chunks are offered as there
 * 2. `copyBasis`, when the sender has left out what it has too: only that is copied, and hashed once more, since the file
 *    is not ours and may be another by now
 */
import { BufferPool, hashBytes, MiB } from '@peerd/protocol';
import { hash } from '../hashing.ts';
import type { IndexedEntry, Manifest } from '../manifest/manifest.ts';
import { OrderedWindow } from '../ordered-window.ts';
import type { StageClock } from '../stage-clock.ts';
import type { IndexSet } from '../store/index-set.ts';
import { wholeFileBytes } from '../store/finish.ts';
import type { Staging } from '../store/staging.ts';
import { packEntries } from '../thread/entry-batch.ts';
import type { FileThread } from '../thread/file-thread.ts';
import type { Zeros } from '../zeros.ts';
import { readChunk } from './read-chunk.ts';

/** Their hashes are in memory. */
const maxChunks = 65_536;
const readAheadBytes: number = 8 * MiB;
/** Of one call: between two looks at the signal. */
const chunksAtOnce = 16;

export interface BasisOptions {
  readonly manifest: Manifest;
  readonly staging: Staging;
  readonly thread: FileThread;
  readonly stages: StageClock;
  readonly zeros: Zeros;
  /** Chunks that are there already. */
  readonly present: IndexSet;
  readonly signal: AbortSignal;
}

/** @returns the hashes of the chunks that may be copied, by index, ascending. @throws PeerdError `io_error`, the reason of `signal` */
export const hashBasis = async (options: BasisOptions): Promise<Map<number, Buffer>> => {
  const hashes = new Map<number, Buffer>();
  const pool = new BufferPool(options.manifest.chunkSize, Math.ceil(readAheadBytes / options.manifest.chunkSize));
  await eachBasis(options, () => hashes.size < maxChunks, (basis) => hashFile(options, pool, basis, hashes));
  return hashes;
};

/** @param onCopied chunk by chunk; a chunk whose basis has changed is left out. @throws PeerdError `io_error`, `no_space`, the reason of `signal` */
export const copyBasis = async (options: BasisOptions, hashes: ReadonlyMap<number, Buffer>, onCopied: (file: IndexedEntry, index: number, hash: Buffer) => Promise<void>): Promise<void> => {
  if (hashes.size === 0) return;
  await eachBasis(options, () => true, (basis) => options.stages.time('write', () => copyFile(options, basis, hashes, onCopied)));
};

interface Basis {
  readonly file: IndexedEntry;
  /** Open until the next one is. */
  readonly fd: number;
  /** From the beginning on: whole chunks, or all of the file. */
  readonly usable: number;
}

const eachBasis = async ({ manifest, staging, thread, signal }: BasisOptions, goesOn: () => boolean, visit: (basis: Basis) => Promise<void>): Promise<void> => {
  await thread.call('basisOpen', { directoryFd: staging.destinationFd, chunkSize: manifest.chunkSize });
  try {
    for await (const file of manifest.entries()) {
      signal.throwIfAborted();
      if (!goesOn()) break;
      const { entry } = file;
      if (entry.type !== 'file' || entry.size <= wholeFileBytes) continue;
      const found = await thread.call('basisFile', { entry: packEntries([entry]) });
      if (found === undefined) continue;
      const there = Math.min(entry.size, found.size);
      // What is left of the former end of the file is a chunk only if it is the last one here too.
      await visit({ file, fd: found.fd, usable: there === entry.size ? there : there - (there % manifest.chunkSize) });
    }
  } finally {
    await thread.call('basisClose', {});
  }
};

const hashFile = async (options: BasisOptions, pool: BufferPool, { file, fd, usable }: Basis, hashes: Map<number, Buffer>): Promise<void> => {
  const { manifest: { chunkSize }, zeros, stages, present, signal } = options;
  const window = new OrderedWindow<{ chunk: number; found: Buffer | undefined }>(readAheadBytes, async ({ chunk, found }) => {
    if (found !== undefined) hashes.set(chunk, found);
  });
  const hashOf = async (offset: number, length: number): Promise<Buffer | undefined> => {
    const memory = pool.take();
    const content = memory.subarray(0, length);
    try {
      if (!(await stages.time('read', () => readChunk(fd, content, offset)))) return undefined;
      // Zeros come as a hole, and shall stay one.
      return zeros.are(content) ? undefined : stages.timeSync('hash', () => hash(content));
    } finally {
      pool.give(memory);
    }
  };
  try {
    for (let offset = 0, chunk = file.firstChunk; offset < usable && hashes.size < maxChunks; offset += chunkSize, chunk += 1) {
      signal.throwIfAborted();
      if (present.has(chunk)) continue;
      const [at, of, length] = [offset, chunk, Math.min(chunkSize, usable - offset)];
      await window.add(length, () => hashOf(at, length).then((found) => ({ chunk: of, found })));
    }
  } finally {
    // Nothing may read any more when the file is closed.
    await window.drained();
  }
};

const copyFile = async (options: BasisOptions, { file, usable }: Basis, hashes: ReadonlyMap<number, Buffer>, onCopied: (file: IndexedEntry, index: number, hash: Buffer) => Promise<void>): Promise<void> => {
  const { manifest: { chunkSize }, thread, present, signal } = options;
  for (const { start, count } of runs(file, Math.ceil(usable / chunkSize), (chunk) => hashes.has(chunk) && !present.has(chunk))) {
    signal.throwIfAborted();
    const offset = (start - file.firstChunk) * chunkSize;
    const expected = Buffer.concat(Array.from({ length: count }, (_, at) => hashes.get(start + at) ?? Buffer.alloc(hashBytes)));
    const copied = await thread.call('basisCopy', { offset, length: Math.min(count * chunkSize, usable - offset), expected });
    for (const [at, isCopied] of copied.entries()) if (isCopied === 1) await onCopied(file, start + at, expected.subarray(at * hashBytes, (at + 1) * hashBytes));
  }
};

/** Ascending runs of chunks of a file, as long as one call takes. */
function* runs({ firstChunk }: IndexedEntry, chunks: number, isWanted: (chunk: number) => boolean): Generator<{ start: number; count: number }, void, void> {
  const end = firstChunk + chunks;
  for (let start = firstChunk; start < end; ) {
    let stop = start;
    while (stop < end && stop - start < chunksAtOnce && isWanted(stop)) stop += 1;
    if (stop > start) yield { start, count: stop - start };
    start = Math.max(stop, start + 1);
  }
}
