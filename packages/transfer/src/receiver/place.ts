/** From complete content in staging to entries under their final names. Each step is remembered, so that it may be the last before a crash. */
import type { ConflictPolicy, PeerdError } from '@peerd/protocol';
import type { Manifest } from '../manifest/manifest.ts';
import type { ChunkJournal } from '../store/chunk-journal.ts';
import { finishStaging } from '../store/finish.ts';
import { type PlacementLog, placeGroup, type TopLevelEntry } from '../store/placement.ts';
import type { IndexSet } from '../store/index-set.ts';
import type { Staging } from '../store/staging.ts';
import { ioError } from '../system-errors.ts';
import type { FileThread } from '../thread/file-thread.ts';
import { removeStaging } from './discard.ts';
import { mergeSealed } from './merge.ts';
import { encodeSealContent, type Failure, type Seal } from './seal.ts';

export interface PlaceOptions {
  /** When a top-level name exists: take the next free one, fail that entry, or merge into what is there. */
  readonly conflict: ConflictPolicy;
  readonly durability: 'transfer' | 'none';
  readonly log: PlacementLog;
  readonly signal: AbortSignal;
}

export interface PlaceResult {
  /** Final names of the delivered top-level entries, in manifest order. */
  readonly savedAs: readonly { readonly entry: number; readonly name: Buffer }[];
  /** Manifest entries; those in a directory that failed have failed too. */
  readonly delivered: number;
  readonly failed: number;
  /** Left as they were, by the policy `skip`. */
  readonly skipped: number;
}

export interface Received {
  readonly manifest: Manifest;
  readonly journal: ChunkJournal;
  readonly staging: Staging;
  readonly thread: FileThread;
  /** Grows by what fails here. */
  readonly failures: Map<number, Failure>;
  /** So does this, by entry index. */
  readonly skipped: IndexSet;
}

/** Top-level entries that share one flush of the destination. */
const groupEntries = 128;

/** Files and directories get everything but their final names, are flushed, and the journal is sealed. */
export const finishReceived = async (received: Received, contentRoot: Buffer, { durability, signal }: PlaceOptions): Promise<Seal> => {
  const { failures, skipped, journal } = received;
  const fail = (entry: number, { code, message }: PeerdError): void => void failures.set(entry, { code, message });
  try {
    await finishStaging({ ...received, isFailed: (entry) => failures.has(entry), fail, durability, signal });
  } catch (cause) {
    throw ioError(cause, 'finishing what was received');
  }
  const seal: Seal = { contentRoot, failures, skipped };
  await journal.seal(encodeSealContent(seal), durability === 'transfer');
  return seal;
};

/** Moves everything that has not failed and is not there yet. What fails now is remembered too: after this, staging may go. */
export const placeSealed = async (received: Received, contentRoot: Buffer, options: PlaceOptions): Promise<void> => {
  const { failures, skipped, journal } = received;
  const { conflict } = options;
  if (conflict === 'overwrite' || conflict === 'skip') return mergeSealed(received, contentRoot, { ...options, conflict });
  const failedBefore = failures.size;
  for await (const group of groupsOf(received)) {
    options.signal.throwIfAborted();
    for (const outcome of await placeGroup({ ...options, conflict, staging: received.staging }, group))
      if ('failure' in outcome) failures.set(outcome.index, { code: outcome.failure.code, message: outcome.failure.message });
  }
  if (failures.size > failedBefore) await journal.seal(encodeSealContent({ contentRoot, failures, skipped }), options.durability === 'transfer');
};

/** What came of it, by the log; then nothing in staging is needed any more. */
export const concludePlacement = async (received: Received, { log, signal }: PlaceOptions): Promise<PlaceResult> => {
  const { manifest, failures, skipped, staging, thread } = received;
  const savedAs: { entry: number; name: Buffer }[] = [];
  let failed = 0;
  /** Components of the directory that failed last; what follows with more of them is in it. */
  let failedDepth = Number.POSITIVE_INFINITY;
  for await (const { index, entry } of manifest.entries()) {
    if (entry.path.length <= failedDepth) failedDepth = failures.has(index) ? entry.path.length : Number.POSITIVE_INFINITY;
    const hasFailed = failedDepth < Number.POSITIVE_INFINITY;
    if (hasFailed) failed += 1;
    else if (entry.path.length === 1 && !skipped.has(index)) {
      const record = await log.intended(index);
      if (record !== undefined) savedAs.push({ entry: index, name: record.name });
    }
  }
  try {
    await removeStaging(staging.path, thread, signal);
  } catch {
    // Everything is delivered: what could not be removed is no reason to call the transfer failed. `discard` tries again.
  }
  return { savedAs, delivered: manifest.summary.entries - failed - skipped.count, failed, skipped: skipped.count };
};

async function* groupsOf({ manifest, failures }: Received): AsyncGenerator<TopLevelEntry[], void, void> {
  let group: TopLevelEntry[] = [];
  for await (const top of manifest.topLevel()) {
    if (!failures.has(top.index)) group.push(top);
    if (group.length < groupEntries) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
