/** Transfers as the control API shows them: everything that a peer chose is escaped. */
import { escapeBytes, escapeText, type InboxOffer, type PeerReference, shownState, type TransferSummary, type Trust } from '@peerd/protocol';
import type { Outlook } from './outlook.ts';
import type { TransferRecord } from './record.ts';

/** Names of an offer that are shown. */
const shownNames = 10;

export const peerOf = (record: TransferRecord, name: string): PeerReference => ({ id: record.peer, name: escapeText(name) });

/** @param name of the peer, raw */
export const summaryOf = (record: TransferRecord, name: string): TransferSummary => ({
  id: record.id,
  ...(record.group === undefined ? {} : { group: record.group }),
  direction: record.direction,
  peer: peerOf(record, name),
  state: shownState(record),
  ...pausedByOf(record),
  entries: record.entries,
  bytes: record.bytes,
  bytesDone: record.bytesDone,
  ...(record.note === undefined ? {} : { note: escapeText(record.note) }),
  ...(record.skipped === 0 ? {} : { kept: record.skipped }),
  ...(record.priority === 'normal' ? {} : { priority: record.priority }),
  createdAt: record.createdAt,
  updatedAt: record.updatedAt,
  ...(record.error === undefined ? {} : { error: { code: record.error.code, message: escapeText(record.error.message) } }),
});

const pausedByOf = (record: TransferRecord): Pick<TransferSummary, 'pausedBy'> => {
  if (shownState(record) !== 'paused') return {};
  const here = record.direction === 'send' ? ('sender' as const) : ('receiver' as const);
  const there = record.direction === 'send' ? ('receiver' as const) : ('sender' as const);
  return { pausedBy: [...(record.pausedHere ? [here] : []), ...(record.pausedThere ? [there] : [])].toSorted().toReversed() };
};

export const offerOf = (record: TransferRecord, name: string, trust: Trust, conflicts: number, { diff, risks, space }: Outlook, why: string | undefined): InboxOffer => ({
  id: record.id,
  from: peerOf(record, name),
  trust,
  entries: record.entries,
  bytes: record.bytes,
  ...(record.note === undefined ? {} : { note: escapeText(record.note) }),
  conflicts,
  conflict: record.conflict,
  diff,
  risks,
  space,
  names: record.topLevel.slice(0, shownNames).map((topLevel) => escapeBytes(topLevel)),
  receivedAt: record.offeredAt ?? record.createdAt,
  ...(why === undefined ? {} : { why }),
});

/** Where an entry stands, escaped: an absolute path where the directory is ours, else the name at the other side. */
export const shownPath = (record: TransferRecord, name: Buffer): string =>
  record.destination === undefined ? escapeBytes(name) : `${escapeText(record.destination).replace(/\/$/, '')}/${escapeBytes(name)}`;

/** Final names of the top-level entries that were delivered. */
export const savedAsOf = (record: TransferRecord): string[] => record.savedAs.filter((name) => name.length > 0).map((name) => shownPath(record, name));
