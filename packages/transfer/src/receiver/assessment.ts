/** What an offer would mean for a directory, before anybody has accepted it. Nothing is changed. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { IndexedEntry, Manifest } from '../manifest/manifest.ts';
import { type RiskKind, risksOfMask } from '../risks.ts';
import { errnoCode, ioError } from '../system-errors.ts';
import { type Comparison, comparisons, notCompared } from '../thread/compared-files.ts';
import { EntryBatch } from '../thread/entry-batch.ts';
import { FileThread } from '../thread/file-thread.ts';

export interface AssessedEntry extends IndexedEntry {
  readonly comparison: Comparison;
  readonly risks: readonly RiskKind[];
}

/** Counts of the entries that were looked at. */
export interface Assessment {
  new: number;
  same: number;
  conflict: number;
  risky: number;
  entries: number;
}

export interface AssessOptions {
  readonly manifest: Manifest;
  /** A directory that may not exist yet. */
  readonly destination: Buffer | string;
  /** First entry, and how many. */
  readonly from: number;
  readonly limit: number;
  readonly signal: AbortSignal;
}

/** So far back names are read to find those that differ in case only. */
const twinEntries = 100_000;

/** @throws PeerdError `io_error`; the reason of `signal` */
export async function* assessEntries({ manifest, destination, from, limit, signal }: AssessOptions): AsyncGenerator<AssessedEntry, void, void> {
  const directory = await openIfThere(destination);
  const thread = new FileThread();
  try {
    await thread.call('compareOpen', { directoryFd: directory?.fd });
    const end = Math.min(manifest.summary.entries, from + limit);
    const start = from <= twinEntries ? 0 : from;
    for (let page = 0; page < manifest.pages; page += 1) {
      const { firstEntry, entries } = await manifest.decoded(page);
      if (firstEntry >= end) return;
      const wanted = entries.filter(({ index }) => index >= start && index < end);
      if (wanted.length === 0) continue;
      signal.throwIfAborted();
      const batch = new EntryBatch();
      for (const { index, entry } of wanted) batch.add(entry, 0n, index < from ? notCompared : 0);
      const packed = batch.take();
      const found = await thread.call('compareEntries', { entries: packed }, [packed]);
      for (const [position, item] of wanted.entries())
        if (item.index >= from) yield { ...item, comparison: comparisons[found[position * 2] ?? 0] ?? 'new', risks: risksOfMask(found[position * 2 + 1] ?? 0) };
    }
  } catch (cause) {
    throw ioError(cause, 'comparing the offer with the destination');
  } finally {
    await thread.close();
    await directory?.close();
  }
}

export const assess = async (options: AssessOptions, onRisky: (entry: AssessedEntry) => void): Promise<Assessment> => {
  const assessment: Assessment = { new: 0, same: 0, conflict: 0, risky: 0, entries: 0 };
  for await (const entry of assessEntries(options)) {
    assessment[entry.comparison] += 1;
    assessment.entries += 1;
    if (entry.risks.length === 0) continue;
    assessment.risky += 1;
    onRisky(entry);
  }
  return assessment;
};

const openIfThere = async (directory: Buffer | string): Promise<FileHandle | undefined> => {
  try {
    return await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (cause) {
    if (errnoCode(cause) === 'ENOENT') return undefined;
    throw ioError(cause, 'opening the destination directory');
  }
};
