/** The conflict policies that go into what is there: `overwrite` and `skip`. Repeatable after a crash at any point, as placing is. */
import { escapeBytes, PeerdError } from '@peerd/protocol';
import type { IndexedEntry } from '../manifest/manifest.ts';
import { flushFileSystem, manyEntries } from '../store/durability.ts';
import { isStagingName } from '../store/staging.ts';
import { ioError } from '../system-errors.ts';
import { EntryBatch } from '../thread/entry-batch.ts';
import { begunEntry, goneFromStaging, type MergePolicy, settledEntry, typeClash } from '../thread/merged-files.ts';
import { nameOf } from './arrivals.ts';
import type { PlaceOptions, Received } from './received.ts';
import { encodeSealContent } from './seal.ts';

/** Records of the log that are written together. */
const groupRecords = 1_000;

/** Merges everything that has not failed and was not placed before. What failed or was skipped is remembered: after this, staging may go. */
export const mergeSealed = async (received: Received, contentRoot: Buffer, options: PlaceOptions & { readonly conflict: MergePolicy }): Promise<void> => {
  const { manifest, journal, staging, thread, failures, skipped } = received;
  const { conflict: policy, log, signal } = options;
  const isDurable = options.durability === 'transfer';
  const atOnce = isDurable && manifest.summary.entries > manyEntries && (await flushFileSystem(staging.treeFd, signal));
  const settledBefore = failures.size + skipped.count;
  const placed: number[] = [];
  await inThread('opening the destination', () => thread.call('mergeOpen', { stagedFd: staging.treeFd, destinationFd: staging.destinationFd, policy, flush: isDurable && !atOnce }));
  for (let page = 0; page < manifest.pages; page += 1) {
    signal.throwIfAborted();
    const { entries } = await manifest.decoded(page);
    const flags = await begin(received, options, entries);
    const batch = new EntryBatch();
    for (const [position, { entry }] of entries.entries()) batch.add(entry, 0n, flags[position]);
    const packed = batch.take();
    const result = await inThread('moving what was received into the destination', () => thread.call('mergeEntries', { entries: packed }, [packed]));
    for (const position of result.skipped) skipped.set(entries[position]?.index ?? 0);
    for (const [position, code] of result.failed) {
      const failed = entries[position];
      if (failed !== undefined) failures.set(failed.index, failureOf(failed, code));
    }
    for (const [position, { index, entry }] of entries.entries())
      if (entry.path.length === 1 && ((flags[position] ?? 0) & settledEntry) === 0 && !failures.has(index) && !skipped.has(index)) placed.push(index);
  }
  await inThread('finishing the directories of the destination', () => thread.call('mergeFinish', {}));
  if (atOnce && !(await flushFileSystem(staging.destinationFd, signal)))
    throw new PeerdError('io_error', 'flushing the file system of the destination failed', { hint: 'Look at the health of that file system, then try again.' });
  if (isDurable && !atOnce) await inThread('flushing the destination', () => staging.flushDestination());
  if (failures.size + skipped.count > settledBefore) await journal.seal(encodeSealContent({ contentRoot, failures, skipped }), isDurable);
  for (let from = 0; from < placed.length; from += groupRecords) await Promise.all(placed.slice(from, from + groupRecords).map((index) => log.placed(index)));
};

/** What is not to be touched (any more), and in the log what will be. Flags by position. */
const begin = async ({ failures, skipped }: Received, { log }: PlaceOptions, entries: readonly IndexedEntry[]): Promise<number[]> => {
  const flags: number[] = entries.map(({ index }) => (failures.has(index) || skipped.has(index) ? settledEntry : 0));
  const tops = entries.map((item, position) => ({ ...item, position })).filter(({ entry, position }) => entry.path.length === 1 && flags[position] === 0);
  const records = await Promise.all(tops.map(({ index }) => log.intended(index)));
  const fresh: Promise<void>[] = [];
  for (const [number, { index, entry, position }] of tops.entries()) {
    const record = records[number];
    const name = Buffer.from(entry.path[0] ?? []);
    if (record?.done === true) flags[position] = settledEntry;
    else if (record !== undefined) flags[position] = begunEntry;
    else if (isStagingName(name)) {
      failures.set(index, { code: 'conflict', message: `"${escapeBytes(name)}" is a name that only peerd itself uses` });
      flags[position] = settledEntry;
    } else fresh.push(log.intend(index, name, 0n));
  }
  await Promise.all(fresh);
  return flags;
};

const failureOf = (entry: IndexedEntry, code: string): { code: string; message: string } => {
  const name = nameOf(entry);
  if (code === goneFromStaging) return { code: 'io_error', message: `"${name}" is not in the staging directory any more` };
  if (code !== typeClash) return { code: 'io_error', message: `moving "${name}" into the destination failed: ${code}` };
  const isDirectory = entry.entry.type === 'directory';
  return {
    code: 'type_conflict',
    message: isDirectory ? `"${name}" is a directory, and in the destination something else has its name` : `"${name}" is a ${entry.entry.type}, and in the destination a directory or a special file has its name`,
  };
};

const inThread = async <T>(doing: string, call: () => Promise<T>): Promise<T> => {
  try {
    return await call();
  } catch (cause) {
    throw ioError(cause, doing);
  }
};
