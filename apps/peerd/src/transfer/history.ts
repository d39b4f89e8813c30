/** GET /v1/history: what is over, newest first. */
import { escapeText, type HistoryEntry, type HistoryQuery, type HistoryResponse, PeerdError, type PeerId } from '@peerd/protocol';
import type { Contact } from '../contacts/ports.ts';
import { foldName } from '../contacts/names.ts';
import type { TransferRecord } from './record.ts';
import type { TransferStore } from './store.ts';
import { savedAsOf, summaryOf } from './view.ts';

const defaultLimit = 100;

export interface HistorySources {
  readonly store: TransferStore;
  readonly contacts: readonly Contact[];
  /** Raw. */
  readonly nameOf: (record: TransferRecord) => string;
}

export const showHistory = async ({ store, contacts, nameOf }: HistorySources, { peer, state, offset = 0, limit = defaultLimit }: HistoryQuery): Promise<HistoryResponse> => {
  const peers = peer === undefined ? undefined : meantPeers(peer, [...contacts, ...(await store.peers())]);
  const { records, total } = await store.ended({ peers, state }, offset, limit);
  return { transfers: records.map((record) => entryOf(record, nameOf(record))), total, offset };
};

const entryOf = (record: TransferRecord, name: string): HistoryEntry => ({
  ...summaryOf(record, name),
  finishedAt: record.finishedAt ?? record.updatedAt,
  savedAs: savedAsOf(record),
  // A receipt is stored only after it was verified, or signed here.
  receipt: record.receipt ? 'verified' : 'none',
});

/**
 * Everybody whom the words may mean: a filter may show too much, and a person who reads it sees by the ids.
 *
 * @throws PeerdError `no_such_peer`
 */
const meantPeers = (typed: string, known: readonly { readonly id: PeerId; readonly name: string }[]): PeerId[] => {
  const at = typed.lastIndexOf('~');
  const plain = (text: string): string => text.trim().replaceAll('-', '').toLowerCase();
  const means = (name: string, prefix: string, { id, name: candidate }: { id: PeerId; name: string }): boolean => id.startsWith(prefix) && foldName(candidate) === foldName(name);
  const found = known.filter((candidate) => means(typed, '', candidate) || (plain(typed).length >= 4 && candidate.id.startsWith(plain(typed))) || (at > 0 && means(typed.slice(0, at), plain(typed.slice(at + 1)), candidate)));
  if (found.length > 0) return [...new Set(found.map(({ id }) => id))];
  throw new PeerdError('no_such_peer', `no transfer is known with "${escapeText(typed)}"`, { hint: '`peerctl history` without --peer shows with whom there were transfers; they are kept for 30 days.' });
};
