/** GET /v1/transfers/:id: one transfer with a page of its files. */
import { escapeBytes, escapeText, type FileView, isFinalState, type ShowQuery, type StageTimes, type TransferDetail, utf8OrUndefined } from '@peerd/protocol';
import { fileRootOf, type IndexedEntry, Manifest } from '@peerd/transfer';
import { statePaths } from './layout.ts';
import { readReceipt } from './receipts.ts';
import type { EntryRun, TransferRecord } from './record.ts';
import type { Failure, TransferStore } from './store.ts';
import { savedAsOf, shownPath, summaryOf } from './view.ts';

const defaultLimit = 1_000;
/** Final names that are looked up for a page. */
const maxPlacements = 10_000;

export interface ShowSources {
  readonly record: TransferRecord;
  /** Up to now. */
  readonly stages: StageTimes;
  /** Raw. */
  readonly name: string;
  readonly store: TransferStore;
  readonly stateDir: string;
}

export const showTransfer = async ({ record, stages, name, store, stateDir }: ShowSources, query: ShowQuery): Promise<TransferDetail> => {
  const offset = query.offset ?? 0;
  const { sent, received, reused, rewritten, chunkSize } = record;
  return {
    ...summaryOf(record, name),
    files: await filesOf({ record, store, stateDir }, offset, query.limit ?? defaultLimit),
    filesTotal: record.entries,
    filesOffset: offset,
    stages: { ...stages },
    chunks: { sent, received, reused, rewritten, chunkSize },
    ...(record.limitRate === undefined ? {} : { limitRate: record.limitRate }),
    savedAs: savedAsOf(record),
    receipt: receiptOf(record),
  };
};

/** A receipt is stored only after it was verified, or signed here. */
const receiptOf = (record: TransferRecord): TransferDetail['receipt'] => {
  const body = record.receipt && readReceipt(record.receipt.body);
  return body ? { receivedAt: body.receivedAt, durability: body.durability, contentRoot: Buffer.from(body.contentRoot).toString('hex'), verified: true } : null;
};

const filesOf = async ({ record, store, stateDir }: Pick<ShowSources, 'record' | 'store' | 'stateDir'>, offset: number, limit: number): Promise<FileView[]> => {
  const paths = statePaths(stateDir, record);
  let manifest: Manifest;
  try {
    manifest = await Manifest.open(paths.manifest, record.chunkSize);
  } catch {
    // It is not complete yet, or went with an offer that was not accepted.
    return [];
  }
  try {
    const failures = new Map((await store.failures(record)).map((failure) => [failure.entry, failure]));
    const context: FileContext = {
      record, failures, journal: paths.journal, manifest,
      failedTrees: await failedTrees(manifest, failures),
      isSkipped: memberOf(record.skippedRuns),
      placements: record.direction === 'receive' ? await store.placements(record, maxPlacements) : new Map<number, Buffer>(),
    };
    const files: FileView[] = [];
    for await (const item of manifest.entries(offset, limit)) files.push(await fileView(context, item));
    return files;
  } finally {
    await manifest.close();
  }
};

interface FileContext {
  readonly record: TransferRecord;
  readonly manifest: Manifest;
  readonly journal: string;
  readonly failures: ReadonlyMap<number, Failure>;
  /** Directories that failed with everything below them, by path. */
  readonly failedTrees: ReadonlyMap<string, Failure>;
  readonly isSkipped: (entry: number) => boolean;
  readonly placements: ReadonlyMap<number, Buffer>;
}

const failedTrees = async (manifest: Manifest, failures: ReadonlyMap<number, Failure>): Promise<Map<string, Failure>> => {
  const trees = new Map<string, Failure>();
  for (const failure of failures.values()) {
    const { entry } = await manifest.entry(failure.entry);
    if (entry.type === 'directory') trees.set(treeKey(entry.path), failure);
  }
  return trees;
};

const treeKey = (path: readonly Uint8Array[]): string => path.map((component) => Buffer.from(component).toString('latin1')).join('/');

/** The failure of the entry, or of a directory above it. */
const failureOf = ({ failures, failedTrees }: FileContext, { index, entry }: IndexedEntry): Failure | undefined => {
  const own = failures.get(index);
  if (own !== undefined || failedTrees.size === 0) return own;
  return entry.path.map((_, depth) => failedTrees.get(treeKey(entry.path.slice(0, depth + 1)))).find((failure) => failure !== undefined);
};

const memberOf = (runs: readonly EntryRun[]): ((entry: number) => boolean) => {
  let position = 0;
  // Entries are asked for in ascending order.
  return (entry) => {
    for (let run = runs[position]; run !== undefined && run.start + run.count <= entry; run = runs[position]) position += 1;
    const run = runs[position];
    return run !== undefined && run.start <= entry;
  };
};

const fileView = async (context: FileContext, item: IndexedEntry): Promise<FileView> => {
  const { index, entry, firstChunk } = item;
  const { record, manifest, journal, placements } = context;
  const path = Buffer.concat(entry.path.flatMap((component, depth) => (depth === 0 ? [component] : [Buffer.from('/'), component])));
  const failure = failureOf(context, item);
  const root = entry.type === 'file' && !failure && hasContent(record) ? await fileRootOf({ manifest, journalPath: journal, entry: index }).catch(() => undefined) : undefined;
  const saved = placements.get(index);
  return {
    path: escapeBytes(path),
    ...(utf8OrUndefined(path) === undefined ? { pathBase64: path.toString('base64') } : {}),
    type: entry.type,
    bytes: entry.size,
    state: failure ? 'failed' : context.isSkipped(index) ? 'skipped' : stateOf(record, root !== undefined, firstChunk, Math.ceil(entry.size / record.chunkSize)),
    ...(root === undefined ? {} : { root: root.toString('hex') }),
    ...(saved === undefined ? {} : { savedAs: shownPath(record, saved) }),
    ...(entry.target === undefined ? {} : { target: escapeBytes(entry.target) }),
    ...(failure === undefined ? {} : { error: { code: failure.code, message: escapeText(failure.message) } }),
  };
};

const hasContent = ({ state, receipt, decidedAt }: TransferRecord): boolean => (isFinalState(state) ? receipt !== undefined : decidedAt !== undefined);

/** Chunks go in order, so their number tells which file is under way. */
const stateOf = (record: TransferRecord, complete: boolean, firstChunk: number, chunks: number): FileView['state'] => {
  if (record.state === 'done' || record.receipt) return 'done';
  if (isFinalState(record.state)) return 'skipped';
  if (complete) return 'done';
  const there = Math.max(record.received, record.reused);
  return record.state === 'transferring' && chunks > 0 && firstChunk <= there && there < firstChunk + chunks ? 'transferring' : 'waiting';
};
