/** From complete content in staging to entries under their final names. Each step is remembered, so that it may be the last before a crash. */
import type { PeerdError } from '@peerd/protocol';
import { finishStaging } from '../store/finish.ts';
import { placeGroup, type TopLevelEntry } from '../store/placement.ts';
import { ioError } from '../system-errors.ts';
import { removeStaging } from './discard.ts';
import { mergeSealed } from './merge.ts';
import type { PlaceOptions, PlaceResult, Received } from './received.ts';
import { encodeSealContent, type Seal } from './seal.ts';

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
