/**
 * A file of the same path in the destination is the basis of the new one: of a file that changed a little, only that travels.
 *
 * 1. `hashBasis`, before anything travels: its chunks are offered as there
 * 2. `copyBasis`, when the sender has left out what it has too: only that is copied, and hashed once more, since the file
 *    is not ours and may be another by now
 */
import { hashBytes } from '@peerd/protocol';
import type { IndexedEntry, Manifest } from '../manifest/manifest.ts';
import type { StageClock } from '../stage-clock.ts';
import type { IndexSet } from '../store/index-set.ts';
import { wholeFileBytes } from '../store/finish.ts';
import type { Staging } from '../store/staging.ts';
import { packEntries } from '../thread/entry-batch.ts';
import type { FileThread } from '../thread/file-thread.ts';

/** Their hashes are in memory. */
const maxChunks = 65_536;
/** Of one call: between two looks at the signal. */
const chunksAtOnce = 16;

export interface BasisOptions {
  readonly manifest: Manifest;
  readonly staging: Staging;
  readonly thread: FileThread;
  readonly stages: StageClock;
  /** Chunks that are there already. */
  readonly present: IndexSet;
  readonly signal: AbortSignal;
}

/** @returns the hashes of the chunks that may be copied, by index, ascending. @throws PeerdError `io_error`, the reason of `signal` */
export const hashBasis = async (options: BasisOptions): Promise<Map<number, Buffer>> => {
  const hashes = new Map<number, Buffer>();
  await eachBasis(options, () => hashes.size < maxChunks, (file, usable) => options.stages.time('read', () => hashFile(options, file, usable, hashes)));
  return hashes;
};

/** @param onCopied chunk by chunk; a chunk whose basis has changed is left out. @throws PeerdError `io_error`, `no_space`, the reason of `signal` */
export const copyBasis = async (options: BasisOptions, hashes: ReadonlyMap<number, Buffer>, onCopied: (file: IndexedEntry, index: number, hash: Buffer) => Promise<void>): Promise<void> => {
  if (hashes.size === 0) return;
  await eachBasis(options, () => true, (file, usable) => options.stages.time('write', () => copyFile(options, file, usable, hashes, onCopied)));
};

/** @param visit with the first `usable` bytes: whole chunks, or all of the file */
const eachBasis = async ({ manifest, staging, thread, signal }: BasisOptions, goesOn: () => boolean, visit: (file: IndexedEntry, usable: number) => Promise<void>): Promise<void> => {
  await thread.call('basisOpen', { directoryFd: staging.destinationFd, chunkSize: manifest.chunkSize });
  try {
    for await (const file of manifest.entries()) {
      signal.throwIfAborted();
      if (!goesOn()) break;
      const { entry } = file;
      if (entry.type !== 'file' || entry.size <= wholeFileBytes) continue;
      const there = Math.min(entry.size, await thread.call('basisFile', { entry: packEntries([entry]) }));
      // What is left of the former end of the file is a chunk only if it is the last one here too.
      await visit(file, there === entry.size ? there : there - (there % manifest.chunkSize));
    }
  } finally {
    await thread.call('basisClose', {});
  }
};

const hashFile = async (options: BasisOptions, file: IndexedEntry, usable: number, hashes: Map<number, Buffer>): Promise<void> => {
  const { manifest: { chunkSize }, thread, present, signal } = options;
  for (const { start, count } of runs(file, Math.ceil(usable / chunkSize), (chunk) => !present.has(chunk))) {
    if (hashes.size >= maxChunks) return;
    signal.throwIfAborted();
    const offset = (start - file.firstChunk) * chunkSize;
    const found = Buffer.from(await thread.call('basisHash', { offset, length: Math.min(count * chunkSize, usable - offset) }));
    for (let at = 0; at < found.length; at += hashBytes) {
      const hash = found.subarray(at, at + hashBytes);
      if (hash.some((byte) => byte !== 0)) hashes.set(start + at / hashBytes, hash);
    }
  }
};

const copyFile = async (options: BasisOptions, file: IndexedEntry, usable: number, hashes: ReadonlyMap<number, Buffer>, onCopied: (file: IndexedEntry, index: number, hash: Buffer) => Promise<void>): Promise<void> => {
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
