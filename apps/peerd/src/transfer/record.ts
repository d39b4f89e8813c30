/** A transfer as it is stored: what both directions have in common, and what only one of them has. */
import {
  type CompressSetting, type ConflictPolicy, decodeCbor, encodeCbor, noStageTimes, noTraffic, type PeerId, type Priority, type StageTimes, type Traffic, type TransferEnd, type TransferId, type TransferPhase,
} from '@peerd/protocol';
import type { SourceRoot } from '@peerd/transfer';
import type { SqlValue } from '../database/ports.ts';
import type { Idleness } from './idleness.ts';

export type Direction = 'send' | 'receive';

/** Names a transfer: a sender chooses its ids, so a receiver needs the peer as well. */
export interface TransferKey {
  readonly direction: Direction;
  readonly peer: PeerId;
  readonly id: TransferId;
}

/** Consecutive manifest entries. */
export interface EntryRun {
  readonly start: number;
  readonly count: number;
}

/** One per transfer in memory; its owner (outgoing.ts, incoming.ts) changes it and stores it after each change that counts. */
export interface TransferRecord extends TransferKey {
  readonly group: TransferId | undefined;
  /** Raw. */
  readonly peerName: string;
  readonly note: string | undefined;
  readonly conflict: ConflictPolicy;
  /** Sender only: bytes per second at most. */
  readonly limitRate: number | undefined;
  /** Sender only. */
  readonly compress: CompressSetting;
  /** Sender only: which content goes first when not all can flow at once. */
  readonly priority: Priority;
  /** Sender only: the key of the request, and what the request was about. */
  readonly requestKey: string | undefined;
  readonly requestDigest: string | undefined;
  readonly entries: number;
  readonly bytes: number;
  readonly pages: number;
  readonly manifestBytes: number;
  readonly chunkSize: number;
  readonly offerRoot: Buffer;
  readonly createdAt: number;
  /** Sender only: top-level names and where their content is. */
  readonly roots: readonly SourceRoot[];
  chunks: number;
  /** The first top-level names. */
  topLevel: readonly Buffer[];
  state: TransferPhase;
  untold: boolean;
  cleaned: boolean;
  error: TransferEnd | undefined;
  /** This side holds it; the other one does, as far as is known. */
  pausedHere: boolean;
  pausedThere: boolean;
  /** Receiver only: where it goes. */
  destination: string | undefined;
  contentRoot: Buffer | undefined;
  bytesDone: number;
  sent: number;
  received: number;
  reused: number;
  rewritten: number;
  traffic: Traffic;
  /** Of earlier runs of the daemon. */
  stages: StageTimes;
  receipt: { readonly body: Buffer; readonly signature: Buffer } | undefined;
  /** Final name of each top-level entry in manifest order, empty for one that failed or was skipped; cut. */
  savedAs: readonly Buffer[];
  /** Entries that stayed as they were at the receiver. */
  skipped: number;
  /** Receiver only: which ones, ascending. */
  skippedRuns: readonly EntryRun[];
  /** Receiver only. Stored by upkeep.ts alone. */
  idleness: Idleness;
  updatedAt: number;
  offeredAt: number | undefined;
  decidedAt: number | undefined;
  finishedAt: number | undefined;
}

/** Names and columns of a row, in one order for both ways. */
export interface TransferRow {
  direction: Direction;
  peer: string;
  id: string;
  group_id: string | null;
  peer_name: string;
  note: string | null;
  conflict: ConflictPolicy;
  limit_rate: number | null;
  compress: CompressSetting;
  priority: Priority;
  request_key: string | null;
  request_digest: string | null;
  entries: number;
  bytes: number;
  pages: number;
  manifest_bytes: number;
  chunk_size: number;
  offer_root: Uint8Array;
  created_at: number;
  roots: Uint8Array | null;
  chunks: number;
  top_level: Uint8Array | null;
  state: TransferPhase;
  untold: number;
  cleaned: number;
  error_code: string | null;
  error_message: string | null;
  paused_here: number;
  paused_there: number;
  destination: string | null;
  content_root: Uint8Array | null;
  bytes_done: number;
  sent: number;
  received: number;
  reused: number;
  rewritten: number;
  traffic: string;
  stages: string;
  receipt_body: Uint8Array | null;
  receipt_signature: Uint8Array | null;
  saved_as: Uint8Array | null;
  skipped: number;
  skipped_runs: Uint8Array | null;
  idle_days: number;
  idle_bytes: number;
  idle_at: number;
  updated_at: number;
  offered_at: number | null;
  decided_at: number | null;
  finished_at: number | null;
}

const names = (bytes: Uint8Array | null): Buffer[] => (bytes === null ? [] : (decodeCbor(bytes) as Uint8Array[]).map((name) => Buffer.from(name)));
const roots = (bytes: Uint8Array | null): SourceRoot[] =>
  bytes === null ? [] : (decodeCbor(bytes) as [Uint8Array, Uint8Array][]).map(([name, source]) => ({ name: Buffer.from(name), source: Buffer.from(source) }));
const runs = (bytes: Uint8Array | null): EntryRun[] => (bytes === null ? [] : (decodeCbor(bytes) as [number, number][]).map(([start, count]) => ({ start, count })));
const bufferOf = (bytes: Uint8Array | null): Buffer | undefined => (bytes === null ? undefined : Buffer.from(bytes));

export const recordOf = (row: TransferRow): TransferRecord => ({
  direction: row.direction,
  peer: row.peer,
  id: row.id,
  group: row.group_id ?? undefined,
  peerName: row.peer_name,
  note: row.note ?? undefined,
  conflict: row.conflict,
  limitRate: row.limit_rate ?? undefined,
  compress: row.compress,
  priority: row.priority,
  requestKey: row.request_key ?? undefined,
  requestDigest: row.request_digest ?? undefined,
  entries: row.entries,
  bytes: row.bytes,
  pages: row.pages,
  manifestBytes: row.manifest_bytes,
  chunkSize: row.chunk_size,
  offerRoot: Buffer.from(row.offer_root),
  createdAt: row.created_at,
  roots: roots(row.roots),
  chunks: row.chunks,
  topLevel: names(row.top_level),
  state: row.state,
  untold: row.untold === 1,
  cleaned: row.cleaned === 1,
  error: row.error_code === null ? undefined : { code: row.error_code, message: row.error_message ?? '' },
  pausedHere: row.paused_here === 1,
  pausedThere: row.paused_there === 1,
  destination: row.destination ?? undefined,
  contentRoot: bufferOf(row.content_root),
  bytesDone: row.bytes_done,
  sent: row.sent,
  received: row.received,
  reused: row.reused,
  rewritten: row.rewritten,
  traffic: { ...noTraffic, ...(JSON.parse(row.traffic) as Partial<Traffic>) },
  stages: { ...noStageTimes, ...(JSON.parse(row.stages) as Partial<StageTimes>) },
  receipt: row.receipt_body && row.receipt_signature ? { body: Buffer.from(row.receipt_body), signature: Buffer.from(row.receipt_signature) } : undefined,
  savedAs: names(row.saved_as),
  skipped: row.skipped,
  skippedRuns: runs(row.skipped_runs),
  idleness: { days: row.idle_days, bytes: row.idle_bytes, at: row.idle_at },
  updatedAt: row.updated_at,
  offeredAt: row.offered_at ?? undefined,
  decidedAt: row.decided_at ?? undefined,
  finishedAt: row.finished_at ?? undefined,
});

/** The columns that never change after the row was made. */
export const fixedColumns = (record: TransferRecord): Partial<Record<keyof TransferRow, SqlValue>> => ({
  direction: record.direction,
  peer: record.peer,
  id: record.id,
  group_id: record.group ?? null,
  peer_name: record.peerName,
  note: record.note ?? null,
  conflict: record.conflict,
  limit_rate: record.limitRate ?? null,
  compress: record.compress,
  priority: record.priority,
  request_key: record.requestKey ?? null,
  request_digest: record.requestDigest ?? null,
  entries: record.entries,
  bytes: record.bytes,
  pages: record.pages,
  manifest_bytes: record.manifestBytes,
  chunk_size: record.chunkSize,
  offer_root: record.offerRoot,
  created_at: record.createdAt,
  roots: record.roots.length === 0 ? null : encodeCbor(record.roots.map(({ name, source }) => [name, source])),
});

/** The columns that change once and are large. */
export const lateColumns = (record: TransferRecord): Partial<Record<keyof TransferRow, SqlValue>> => ({
  chunks: record.chunks,
  top_level: record.topLevel.length === 0 ? null : encodeCbor(record.topLevel),
  receipt_body: record.receipt?.body ?? null,
  receipt_signature: record.receipt?.signature ?? null,
  saved_as: record.savedAs.length === 0 ? null : encodeCbor(record.savedAs),
  skipped_runs: record.skippedRuns.length === 0 ? null : encodeCbor(record.skippedRuns.map(({ start, count }) => [start, count])),
});

/** The columns that change often. */
export const stateColumns = (record: TransferRecord): Partial<Record<keyof TransferRow, SqlValue>> => ({
  state: record.state,
  untold: record.untold ? 1 : 0,
  cleaned: record.cleaned ? 1 : 0,
  error_code: record.error?.code ?? null,
  error_message: record.error?.message ?? null,
  paused_here: record.pausedHere ? 1 : 0,
  paused_there: record.pausedThere ? 1 : 0,
  destination: record.destination ?? null,
  content_root: record.contentRoot ?? null,
  bytes_done: record.bytesDone,
  sent: record.sent,
  received: record.received,
  reused: record.reused,
  rewritten: record.rewritten,
  skipped: record.skipped,
  traffic: JSON.stringify(record.traffic),
  stages: JSON.stringify(record.stages),
  updated_at: record.updatedAt,
  offered_at: record.offeredAt ?? null,
  decided_at: record.decidedAt ?? null,
  finished_at: record.finishedAt ?? null,
});
