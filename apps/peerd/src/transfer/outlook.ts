/** What an offer would mean for a directory here: what is new there, what is in its way, what a person should look at. */
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type DiffKind, escapeBytes, type LocalDiff, type RiskyPath, type SpaceView } from '@peerd/protocol';
import { assess, type AssessedEntry, assessEntries, freeSpace, Manifest } from '@peerd/transfer';
import { statePaths } from './layout.ts';
import type { TransferRecord } from './record.ts';

/** Entries that one answer compares with the disk. */
export const maxCompared = 100_000;
/** Risky paths that are shown with an offer. */
const shownRisks = 5;

export interface Outlook {
  readonly diff: LocalDiff;
  readonly risks: RiskyPath[];
  readonly space: SpaceView;
}

export interface OutlookOptions {
  readonly record: TransferRecord;
  readonly stateDir: string;
  /** May not exist yet. */
  readonly directory: string;
  /** Entries that may be compared. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

/** A directory that can't be looked at leaves everything uncounted: the offer can be declined, or go elsewhere. @throws the reason of `signal` */
export const outlookOf = async (options: OutlookOptions): Promise<Outlook> => {
  const risks: RiskyPath[] = [];
  const assessment = withManifest(options, (manifest) =>
    assess({ manifest, destination: options.directory, from: 0, limit: options.limit, signal: options.signal }, (entry) => {
      if (risks.length < shownRisks) risks.push({ path: escapeBytes(joined(entry)), reasons: [...entry.risks] });
    }),
  );
  const { entries, ...counts } = await assessment.catch(() => {
    options.signal.throwIfAborted();
    return { new: 0, same: 0, conflict: 0, risky: 0, entries: 0 };
  });
  return { diff: { ...counts, counted: entries === options.record.entries }, risks, space: await spaceFor(options.directory, options.record.bytes) };
};

/** For the entries of one page, by manifest index. @throws PeerdError `io_error` */
export const compareEntries = (options: OutlookOptions, from: number): Promise<Map<number, { diff: DiffKind; risky?: string[] }>> =>
  withManifest(options, async (manifest) => {
    const compared = new Map<number, { diff: DiffKind; risky?: string[] }>();
    for await (const { index, comparison, risks } of assessEntries({ manifest, destination: options.directory, from, limit: options.limit, signal: options.signal }))
      compared.set(index, { diff: comparison, ...(risks.length === 0 ? {} : { risky: [...risks] }) });
    return compared;
  });

const withManifest = async <T>({ record, stateDir }: OutlookOptions, use: (manifest: Manifest) => Promise<T>): Promise<T> => {
  const manifest = await Manifest.open(statePaths(stateDir, record).manifest, record.chunkSize);
  try {
    return await use(manifest);
  } finally {
    await manifest.close();
  }
};

const joined = ({ entry }: AssessedEntry): Buffer => Buffer.concat(entry.path.flatMap((component, depth) => (depth === 0 ? [component] : [Buffer.from('/'), component])));

/** Of the file system on which the directory is, or would be made. */
export const spaceFor = async (directory: string, needed: number): Promise<SpaceView> => {
  let existing = directory;
  while (existing !== '/' && !(await access(existing).then(() => true, () => false))) existing = dirname(existing);
  return { needed, ...(await freeSpace(existing, needed).catch(() => ({ free: 0, fits: false }))) };
};
