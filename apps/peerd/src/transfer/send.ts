/**
 * What one `send` makes.
 *
 * 1. the peers are resolved: a wrong name costs no scan; those that have this send already are left out
 * 2. the sources are scanned once, into the state directory of the first transfer; the others share the file
 * 3. the peers are pinned, and the rows are stored
 */
import { link } from 'node:fs/promises';
import { defaultChunkSize, escapeBytes, escapeText, noStageTimes, noteMaxBytes, noTraffic, PeerdError, type PeerId, type SendRequest, type SkippedEntry } from '@peerd/protocol';
import { newUlid } from '@peerd/service';
import { Manifest, type ScanResult, scanSources } from '@peerd/transfer';
import type { Contacts, ResolvedPeer } from '../contacts/ports.ts';
import type { TransferEnvironment } from './environment.ts';
import { unlooked } from './idleness.ts';
import { makeStateDirectory, removeState, statePaths } from './layout.ts';
import { topLevelOf } from './manifest-intake.ts';
import type { TransferKey, TransferRecord } from './record.ts';
import { digestOf, findRepeated } from './send-key.ts';

export interface PreparedSend {
  readonly group: string | undefined;
  /** One per peer, in the order in which they were named. */
  readonly records: readonly TransferRecord[];
  /** Ids of the ones that were there before. */
  readonly repeated: ReadonlySet<string>;
  readonly leftOut: number;
  readonly skipped: readonly SkippedEntry[];
  readonly warnings: readonly string[];
}

/** @throws PeerdError of the names, of the sources, or of the state directory; nothing is left behind then */
export const prepareSend = async (
  environment: TransferEnvironment, contacts: Pick<Contacts, 'choose' | 'pin'>, request: SendRequest, signal: AbortSignal,
): Promise<PreparedSend> => {
  const { settings, store, spool, now } = environment;
  checkNote(request.note);
  const peers = resolvePeers(contacts, request);
  const digest = digestOf(request);
  const before = new Map<PeerId, TransferRecord>();
  for (const { id } of peers) {
    const record = request.key === undefined ? undefined : await findRepeated(store, id, request.key, digest);
    if (record) before.set(id, record);
  }
  const repeated = new Set([...before.values()].map(({ id }) => id));
  const fresh = peers.filter(({ id }) => !before.has(id));
  const keys: TransferKey[] = fresh.map(({ id }) => ({ direction: 'send', peer: id, id: newUlid(now()) }));
  const [first, ...others] = keys;
  const ordered = (made: readonly TransferRecord[]): TransferRecord[] => peers.flatMap(({ id }) => before.get(id) ?? made.filter(({ peer }) => peer === id));
  if (!first) return { group: undefined, records: ordered([]), repeated, skipped: [], leftOut: 0, warnings: peers.flatMap(({ warnings }) => warnings) };
  const group = others.length > 0 ? newUlid(now()) : undefined;
  const chunkSize = settings.chunkSize ?? defaultChunkSize;
  const paths = [...request.paths.map((path) => Buffer.from(path)), ...(await spool.sources((request.spools ?? []).map(({ id }) => id)))];
  try {
    const { manifest } = await makeStateDirectory(settings.stateDir, first);
    const scan = await scanRequest(request, paths, manifest, chunkSize, signal);
    if (request.unreadable === 'refuse') refuseUnreadable(request, scan);
    for (const key of others) {
      await makeStateDirectory(settings.stateDir, key);
      await link(manifest, statePaths(settings.stateDir, key).manifest);
    }
    const topLevel = await readTopLevel(manifest, chunkSize);
    const records = fresh.map((peer, index) => newOutgoing(keys[index] ?? first, peer, { request, digest, scan, group, chunkSize, topLevel, now: now() }));
    for (const { id, name: peerName } of fresh) await contacts.pin({ id, name: peerName });
    await store.insert(records);
    for (const record of records) spool.hold(record);
    return { group, records: ordered(records), repeated, skipped: skippedOf(scan), leftOut: scan.leftOut, warnings: warningsOf(peers, scan) };
  } catch (error) {
    await Promise.all(keys.map((key) => removeState(settings.stateDir, key).catch(() => {})));
    throw error;
  }
};

/** Once each. @throws PeerdError of the names */
export const resolvePeers = (contacts: Pick<Contacts, 'choose'>, request: SendRequest): ResolvedPeer[] => distinct(request.peers.map((target) => contacts.choose(target)));

/** @throws PeerdError of the sources */
export const scanRequest = async (request: SendRequest, paths: readonly Buffer[], manifestPath: string, chunkSize: number, signal: AbortSignal): Promise<ScanResult> => {
  const { name, exclude = [], include = [] } = request;
  const filter = exclude.length + include.length === 0 ? undefined : { exclude, include };
  const scan = await scanSources({ paths, name: name === undefined ? undefined : Buffer.from(name), filter, manifestPath, chunkSize, signal });
  if (scan.entries === 0) throw nothingToSend(scan);
  return scan;
};

/** The given paths in which something can't be read here: somebody who may read it can upload it. @throws PeerdError `source_unreadable` */
const refuseUnreadable = ({ paths }: SendRequest, scan: ScanResult): void => {
  const unreadable = scan.skipped.filter(({ code }) => code === 'source_unreadable').map(({ path }) => path.toString());
  const [first] = unreadable;
  if (first === undefined) return;
  const within = (path: string): boolean => unreadable.some((found) => `${found}/`.startsWith(path.endsWith('/') ? path : `${path}/`));
  throw new PeerdError('source_unreadable', `"${escapeText(first)}" can't be read by peerd`, {
    hint: 'Give the user that runs peerd the right to read it.', details: { paths: paths.filter(within), entries: unreadable },
  });
};

const checkNote = (note: string | undefined): void => {
  if (note === undefined || (Buffer.byteLength(note) <= noteMaxBytes && !note.includes('\0') && note.isWellFormed())) return;
  throw new PeerdError('invalid_argument', `a note is text of at most ${noteMaxBytes} bytes without NUL, this one has ${Buffer.byteLength(note)} bytes`, {
    hint: 'Shorten it, or send long text with `peerctl chat`.',
  });
};

const distinct = (peers: readonly ResolvedPeer[]): ResolvedPeer[] => peers.filter((peer, index) => peers.findIndex(({ id }) => id === peer.id) === index);

const nothingToSend = (scan: ScanResult): PeerdError => {
  const [first] = scan.skipped;
  if (!first) return new PeerdError('source_missing', 'there is nothing to send', { hint: 'Name at least one file or directory.' });
  return new PeerdError(first.code, `there is nothing to send: ${escapeBytes(first.path)}: ${escapeText(first.message)}`, { hint: 'Name a regular file, a directory, or a link that stays inside of what is sent.' });
};

const readTopLevel = async (path: string, chunkSize: number): Promise<Buffer[]> => {
  const manifest = await Manifest.open(path, chunkSize);
  try {
    return await topLevelOf(manifest);
  } finally {
    await manifest.close();
  }
};

interface Common {
  readonly request: SendRequest;
  readonly digest: string;
  readonly scan: ScanResult;
  readonly group: string | undefined;
  readonly chunkSize: number;
  readonly topLevel: readonly Buffer[];
  readonly now: number;
}

const newOutgoing = (key: TransferKey, peer: ResolvedPeer, { request, digest, scan, group, chunkSize, topLevel, now }: Common): TransferRecord => ({
  ...key,
  group,
  peerName: peer.name,
  note: request.note,
  conflict: request.conflict ?? 'rename',
  priority: request.priority ?? 'normal',
  ...(request.key === undefined ? unkeyed : { requestKey: request.key, requestDigest: digest }),
  limitRate: request.limitRate,
  compress: request.compress ?? 'auto',
  entries: scan.entries,
  bytes: scan.bytes,
  pages: scan.pages,
  manifestBytes: scan.manifestBytes,
  chunkSize,
  offerRoot: scan.offerRoot,
  createdAt: now,
  roots: scan.roots,
  chunks: scan.chunks,
  topLevel,
  ...unstarted,
  // Nothing of ours is made outside of the state directory.
  cleaned: true,
  updatedAt: now,
});

export const unkeyed: Pick<TransferRecord, 'requestKey' | 'requestDigest'> = { requestKey: undefined, requestDigest: undefined };

/** What a transfer has counted and reached at its beginning. */
export const unstarted: Pick<
  TransferRecord,
  'state' | 'untold' | 'error' | 'pausedHere' | 'pausedThere' | 'destination' | 'contentRoot' | 'bytesDone' | 'sent' | 'received' | 'reused' | 'rewritten' | 'traffic' | 'stages' | 'receipt' | 'savedAs' | 'skipped' | 'skippedRuns' | 'idleness' | 'offeredAt' | 'decidedAt' | 'finishedAt'
> = {
  state: 'queued',
  untold: false,
  error: undefined,
  pausedHere: false,
  pausedThere: false,
  destination: undefined,
  contentRoot: undefined,
  bytesDone: 0,
  sent: 0,
  received: 0,
  reused: 0,
  rewritten: 0,
  traffic: noTraffic,
  stages: noStageTimes,
  receipt: undefined,
  savedAs: [],
  skipped: 0,
  skippedRuns: [],
  idleness: unlooked,
  offeredAt: undefined,
  decidedAt: undefined,
  finishedAt: undefined,
};

export const skippedOf = (scan: ScanResult): SkippedEntry[] =>
  scan.skipped.map(({ path, code, message }) => ({ path: escapeBytes(path), code, message: escapeText(message) }));

export const warningsOf = (peers: readonly ResolvedPeer[], scan: ScanResult): string[] => [
  ...peers.flatMap(({ warnings }) => warnings),
  ...(scan.skippedTotal > scan.skipped.length ? [`${scan.skippedTotal} entries were left out; the first ${scan.skipped.length} are listed`] : []),
];
