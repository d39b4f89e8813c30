/**
 * `send --dry-run`: what would be sent, and what the receivers say of it. Nothing is queued, nobody is pinned, and the manifest
 * goes as soon as the answers are there.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Compared, type DryRunFile, type DryRunPeer, type DryRunResponse, escapeBytes, escapeText, PeerdError, type PeerId, type PeerReference, type SendRequest, utf8OrUndefined,
} from '@peerd/protocol';
import { newUlid } from '@peerd/service';
import { type IndexedEntry, Manifest } from '@peerd/transfer';
import type { Contacts, ResolvedPeer } from '../../contacts/ports.ts';
import type { Link, Links } from '../../peer/ports.ts';
import { resolvePeers, scanRequest, skippedOf, warningsOf } from '../send.ts';
import type { Questions } from './questions.ts';

/** Files that are listed. */
const shownFiles = 1_000;
/** From the request of a link to the answer. */
const askMs = 60_000;
const linkMs = 20_000;

export interface DryRunOptions {
  readonly contacts: Pick<Contacts, 'choose'>;
  readonly links: Pick<Links, 'get' | 'connect'>;
  /** On the roster of a rendezvous now. */
  readonly isOnline: (peer: PeerId) => boolean;
  readonly questions: Questions;
  readonly chunkSize: number;
  /** For the manifest; nothing in it outlives the daemon. */
  readonly directory: string;
}

/** @throws PeerdError of the names or of the sources */
export const dryRun = async (options: DryRunOptions, request: SendRequest, signal: AbortSignal): Promise<DryRunResponse> => {
  const peers = resolvePeers(options.contacts, request);
  const own = join(options.directory, newUlid(Date.now()));
  await mkdir(own, { recursive: true, mode: 0o700 });
  try {
    const path = join(own, 'manifest');
    const scan = await scanRequest(request, request.paths.map((given) => Buffer.from(given)), path, options.chunkSize, signal);
    const manifest = await Manifest.open(path, options.chunkSize);
    try {
      const files: DryRunFile[] = [];
      for await (const { entry } of manifest.entries(0, shownFiles)) files.push(fileOf(entry));
      const answers = await Promise.all(peers.map((peer) => askPeer(options, peer, manifest, request, signal)));
      return { entries: scan.entries, bytes: scan.bytes, files, skipped: skippedOf(scan), peers: answers, warnings: warningsOf(peers, scan) };
    } finally {
      await manifest.close();
    }
  } finally {
    await rm(own, { recursive: true, force: true });
  }
};

const askPeer = async (options: DryRunOptions, { id, name }: ResolvedPeer, manifest: Manifest, request: SendRequest, signal: AbortSignal): Promise<DryRunPeer> => {
  const peer: PeerReference = { id, name: escapeText(name) };
  let link: Link | undefined;
  try {
    link = await linkTo(options, id, signal);
  } catch (error) {
    signal.throwIfAborted();
    return { peer, answer: 'away', message: escapeText(error instanceof Error ? error.message : String(error)) };
  }
  if (!link) return { peer, answer: 'away' };
  const late = new PeerdError('peer_unreachable', 'there was no answer in time');
  using deadline = deadlineOf(askMs, late);
  try {
    return await answerOf(peer, manifest, await options.questions.ask(link, manifest, request.conflict ?? 'rename', AbortSignal.any([signal, deadline.signal])));
  } catch (error) {
    signal.throwIfAborted();
    if (error === late) return { peer, answer: 'silent' };
    return { peer, answer: link.signal.aborted ? 'away' : 'unable', message: escapeText(error instanceof Error ? error.message : String(error)) };
  }
};

/** `undefined` for a peer that is not there. @throws PeerdError; the reason of `signal` */
const linkTo = async ({ links, isOnline }: DryRunOptions, peer: PeerId, signal: AbortSignal): Promise<Link | undefined> => {
  const link = links.get(peer);
  if (link || !isOnline(peer)) return link;
  using deadline = deadlineOf(linkMs, new PeerdError('peer_unreachable', 'no link came up in time'));
  return await links.connect(peer, AbortSignal.any([signal, deadline.signal]));
};

const deadlineOf = (ms: number, reason: PeerdError): Disposable & { readonly signal: AbortSignal } => {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(reason), ms);
  return { signal: controller.signal, [Symbol.dispose]: () => clearTimeout(timer) };
};

const answerOf = async (peer: PeerReference, manifest: Manifest, { result, reason, message }: Compared): Promise<DryRunPeer> => {
  if (!result) return { peer, answer: reason === 'asks' ? 'asks' : 'unable', ...(message === undefined ? {} : { message: escapeText(message) }) };
  const { new: fresh, same, conflict, counted, fits } = result;
  return {
    peer, answer: 'compared', diff: { new: fresh, same, conflict, counted }, fits,
    same: await pathsOf(manifest, result.sameEntries),
    conflicts: await pathsOf(manifest, result.conflictEntries),
  };
};

const pathsOf = async (manifest: Manifest, entries: readonly number[]): Promise<string[]> => {
  const paths: string[] = [];
  for (const index of entries) paths.push(escapeBytes(pathOf((await manifest.entry(index)).entry)));
  return paths;
};

const pathOf = ({ path }: IndexedEntry['entry']): Buffer => Buffer.concat(path.flatMap((component, depth) => (depth === 0 ? [component] : [Buffer.from('/'), component])));

const fileOf = (entry: IndexedEntry['entry']): DryRunFile => {
  const path = pathOf(entry);
  return { path: escapeBytes(path), ...(utf8OrUndefined(path) === undefined ? { pathBase64: path.toString('base64') } : {}), type: entry.type, bytes: entry.size };
};
