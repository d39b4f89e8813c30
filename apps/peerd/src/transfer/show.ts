/** GET /v1/transfers/:id: one transfer with a page of its files. */
import {
  escapeBytes, escapeText, type FileView, isFinalState, type OfferOutlook, PeerdError, type ShowQuery, type StageTimes, type TransferDetail, type Trust, utf8OrUndefined,
} from '@peerd/protocol';
import { fileRootOf, type IndexedEntry, Manifest } from '@peerd/transfer';
import { checkDestination } from './destination.ts';
import { statePaths } from './layout.ts';
import { compareEntries, maxCompared, outlookOf } from './outlook.ts';
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
  /** Where an offer is put unless somebody says otherwise. */
  readonly downloadDir: string;
  readonly trust: Trust;
  readonly signal: AbortSignal;
}

export const showTransfer = async (sources: ShowSources, query: ShowQuery): Promise<TransferDetail> => {
  const { record, stages, name, store, stateDir } = sources;
  const offset = query.offset ?? 0;
  const limit = query.limit ?? defaultLimit;
  const { offer, compared } = await offerPart(sources, query, offset, limit);
  const { sent, received, reused, rewritten, chunkSize } = record;
  return {
    ...summaryOf(record, name),
    ...(offer === undefined ? {} : { offer }),
    files: await filesOf({ record, store, stateDir, compared }, offset, limit),
    filesTotal: record.entries,
    filesOffset: offset,
    stages: { ...stages },
    chunks: { sent, received, reused, rewritten, chunkSize },
    traffic: { ...record.traffic },
    ...(record.direction === 'send' ? { compress: record.compress } : {}),
    ...(record.limitRate === undefined ? {} : { limitRate: record.limitRate }),
    savedAs: savedAsOf(record),
    receipt: receiptOf(record),
  };
};

type Compared = Awaited<ReturnType<typeof compareEntries>>;

/** Of an offer that waits for a decision: what it would mean where it would go. */
const offerPart = async (
  { record, stateDir, downloadDir, trust, signal }: ShowSources, { to }: ShowQuery, offset: number, limit: number,
): Promise<{ offer?: OfferOutlook; compared: Compared }> => {
  const waits = record.direction === 'receive' && record.state === 'offered';
  if (to !== undefined) {
    if (!waits) throw new PeerdError('wrong_state', `transfer ${record.id} is ${record.state}: only an offer that waits for a decision is compared with a directory`, { hint: 'Leave --to away.' });
    await checkDestination(to);
  }
  if (!waits) return { compared: new Map() };
  const directory = to ?? downloadDir;
  const { diff, space } = await outlookOf({ record, stateDir, directory, limit: maxCompared, signal });
  // Decided meanwhile, so that its manifest is gone, or a directory that can't be looked at: what is known is shown.
  const compared = await compareEntries({ record, stateDir, directory, limit, signal }, offset).catch(() => new Map<number, never>());
  return { offer: { trust, conflict: record.conflict, destination: escapeText(directory), diff, space }, compared };
};

/** A receipt is stored only after it was verified, or signed here. */
const receiptOf = (record: TransferRecord): TransferDetail['receipt'] => {
  const body = record.receipt && readReceipt(record.receipt.body);
  return body ? { receivedAt: body.receivedAt, durability: body.durability, contentRoot: Buffer.from(body.contentRoot).toString('hex'), verified: true } : null;
};

const filesOf = async ({ record, store, stateDir, compared }: Pick<ShowSources, 'record' | 'store' | 'stateDir'> & { compared: Compared }, offset: number, limit: number): Promise<FileView[]> => {
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
    for await (const item of manifest.entries(offset, limit)) files.push({ ...(await fileView(context, item)), ...compared.get(item.index) });
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
