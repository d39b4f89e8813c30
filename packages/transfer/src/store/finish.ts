/**
 * From complete content to entries that only have to be moved:
 *
 *  1. empty files and symbolic links are made, failed files removed, sizes, modes and times set
 *  2. directories below the top level get modes and times, the deepest first
 *  3. with durability `transfer` all of it is flushed
 */
import { KiB, type ManifestEntry, PeerdError } from '@peerd/protocol';
import type { Manifest } from '../manifest/manifest.ts';
import { EntryBatch } from '../thread/entry-batch.ts';
import type { FileThread } from '../thread/file-thread.ts';
import { alreadyDressed, failedEntry } from '../thread/staged-files.ts';
import { flushAndClose, flushFileSystem, manyEntries } from './durability.ts';
import type { Staging } from './staging.ts';

/** Files up to this size are written whole, with mode and time. */
export const wholeFileBytes: number = 64 * KiB;
/** Descriptors that are open for flushing. */
const flushBatchFiles = 64;

export interface Finishing {
  readonly manifest: Manifest;
  readonly staging: Staging;
  readonly thread: FileThread;
  readonly isFailed: (entry: number) => boolean;
  readonly fail: (entry: number, failure: PeerdError) => void;
  readonly durability: 'transfer' | 'none';
  readonly signal: AbortSignal;
}

export const finishStaging = async (finishing: Finishing): Promise<void> => {
  const { manifest, staging, durability, signal } = finishing;
  const isDurable = durability === 'transfer';
  // The first flush takes the bulk of the data and shows that the program is there; the second finds little left to do.
  const atOnce = isDurable && manifest.summary.entries > manyEntries && (await flushFileSystem(staging.treeFd, signal));
  const each = isDurable && !atOnce;
  await finishFiles(finishing, each);
  await finishDirectories(finishing, each);
  if (each) await staging.flushTree();
  if (atOnce && !(await flushFileSystem(staging.treeFd, signal))) throw new PeerdError('io_error', 'flushing the file system of the destination failed', { hint: 'Look at the health of that file system, then try again.' });
};

const isDressed = (entry: ManifestEntry): boolean => entry.type === 'file' && entry.size > 0 && entry.size <= wholeFileBytes && (entry.mode & 0o400) !== 0;

const finishFiles = async ({ manifest, thread, isFailed, fail, signal }: Finishing, flushEach: boolean): Promise<void> => {
  const batch = new EntryBatch();
  let indexes: number[] = [];
  const send = async (): Promise<void> => {
    if (batch.count === 0) return;
    signal.throwIfAborted();
    const packed = batch.take();
    const { open, failed } = await thread.call('stagedFinish', { entries: packed, keepOpen: flushEach }, [packed]);
    await flushAndClose(open);
    for (const [position, code] of failed) fail(indexes[position] ?? 0, new PeerdError('io_error', `it could not be made in the destination: ${code}`));
    indexes = [];
  };
  for (let page = 0; page < manifest.pages; page += 1) {
    for (const { index, entry } of (await manifest.decoded(page)).entries) {
      const failed = isFailed(index);
      const dressed = isDressed(entry);
      if (entry.type === 'directory' || (dressed && !failed && !flushEach)) continue;
      batch.add(entry, 0n, (failed ? failedEntry : 0) | (dressed ? alreadyDressed : 0));
      indexes.push(index);
      if (flushEach && batch.count >= flushBatchFiles) await send();
    }
    await send();
  }
};

const finishDirectories = async ({ manifest, thread, signal }: Finishing, flushEach: boolean): Promise<void> => {
  for (let page = manifest.pages - 1; page >= 0; page -= 1) {
    const batch = new EntryBatch();
    for (const { entry } of (await manifest.decoded(page)).entries.toReversed()) if (entry.type === 'directory') batch.add(entry);
    if (batch.count === 0) continue;
    signal.throwIfAborted();
    const packed = batch.take();
    await thread.call('stagedFinishDirectories', { entries: packed, flush: flushEach }, [packed]);
  }
};
