/**
 * Where a file of the same path stands in the destination, its content is copied to the new one before anything travels,
 * and its chunks are offered as there: of a file that changed a little, only that travels.
 *
 * The copies are no claims of the journal: they become that when the sender has left them out. After a crash they are made
 * again.
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
/** Between two looks at the signal. */
const chunksAtOnce = 16;

export interface BasisOptions {
  readonly manifest: Manifest;
  readonly staging: Staging;
  readonly thread: FileThread;
  readonly stages: StageClock;
  /** Chunks that are there: theirs are not copied. */
  readonly present: IndexSet;
  readonly signal: AbortSignal;
}

/** @returns the hashes of the chunks that were copied, by index, ascending. @throws PeerdError `io_error`, `no_space`, the reason of `signal` */
export const copyBasis = async (options: BasisOptions): Promise<Map<number, Buffer>> => {
  const { manifest, staging, thread, stages, signal } = options;
  const copied = new Map<number, Buffer>();
  await thread.call('basisOpen', { directoryFd: staging.destinationFd, chunkSize: manifest.chunkSize });
  try {
    for await (const file of manifest.entries()) {
      signal.throwIfAborted();
      if (copied.size >= maxChunks) break;
      if (file.entry.type === 'file' && file.entry.size > wholeFileBytes) await stages.time('write', () => copyFile(options, file, copied));
    }
  } finally {
    await thread.call('basisClose', {});
  }
  return copied;
};

const copyFile = async ({ manifest: { chunkSize }, thread, present, signal }: BasisOptions, file: IndexedEntry, copied: Map<number, Buffer>): Promise<void> => {
  const { entry, firstChunk } = file;
  const there = Math.min(entry.size, await thread.call('basisFile', { entry: packEntries([entry]) }));
  // What is left of the former end of the file is a chunk only if it is the last one here too.
  const usable = there === entry.size ? there : there - (there % chunkSize);
  for (let offset = 0; offset < usable && copied.size < maxChunks; ) {
    signal.throwIfAborted();
    const chunk = firstChunk + offset / chunkSize;
    const end = Math.min(chunk + chunksAtOnce, firstChunk + Math.ceil(usable / chunkSize));
    let stop = chunk;
    while (stop < end && !present.has(stop)) stop += 1;
    const length = Math.min((stop - chunk) * chunkSize, usable - offset);
    if (length > 0) {
      const hashes = Buffer.from(await thread.call('basisCopy', { offset, length }));
      for (let at = 0; at < hashes.length; at += hashBytes) {
        const hash = hashes.subarray(at, at + hashBytes);
        if (hash.some((byte) => byte !== 0)) copied.set(chunk + at / hashBytes, hash);
      }
    }
    offset += Math.max(1, stop - chunk) * chunkSize;
  }
};
