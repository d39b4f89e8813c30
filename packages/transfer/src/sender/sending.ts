/** What sending small and large files has in common. */
import { type BufferPool, hashBytes } from '@peerd/protocol';
import type { IndexedEntry } from '../manifest/manifest.ts';
import type { OrderedWindow } from '../ordered-window.ts';
import type { StageClock } from '../stage-clock.ts';
import type { ChunkJournal } from '../store/chunk-journal.ts';
import type { FileThread } from '../thread/file-thread.ts';
import type { Zeros } from '../zeros.ts';
import type { HaveSet } from './have-set.ts';
import type { EntryFailure } from './source-problems.ts';

/** Encoded frames, or nothing when the receiver has the chunk. */
export interface Piece {
  readonly buffers: readonly Uint8Array[];
  /** Nothing reads the buffers any more. */
  readonly release?: () => void;
  readonly chunks: number;
  /** Of content. */
  readonly bytes: number;
}

/** What travels. */
export const wireBytesOf = ({ buffers }: Piece): number => buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);

/** A file with what the scan saw of it. */
export interface SourceFile extends IndexedEntry {
  /** 0: not known. */
  readonly inode: bigint;
}

export interface Sending {
  readonly chunkSize: number;
  readonly journal: ChunkJournal;
  readonly have: HaveSet;
  readonly holes: boolean;
  readonly zeros: Zeros;
  readonly thread: FileThread;
  /** Memory for one chunk frame each. */
  readonly pool: BufferPool;
  readonly window: OrderedWindow<Piece | undefined>;
  readonly stages: StageClock;
  readonly signal: AbortSignal;
  fail(entry: number, failure: EntryFailure): void;
}

/** The receiver has this chunk, and by our own journal it is the right one: it need not even be read. */
export const isSkippable = (sending: Sending, chunk: number, ownRecord: Uint8Array | undefined): boolean => {
  const theirs = sending.have.hash(chunk);
  return theirs !== undefined && ownRecord !== undefined && Buffer.compare(theirs, ownRecord) === 0;
};

/** Journals the hash of a chunk that was read. @returns whether the receiver lacks it */
export const isWanted = (sending: Sending, chunk: number, hash: Buffer, bytes: number): boolean => {
  sending.journal.set(chunk, hash, bytes);
  return !isSkippable(sending, chunk, hash);
};

/** Own records of a run of chunks, read only where the receiver has something that they can be compared with. */
export const ownRecords = async (sending: Sending, start: number, count: number): Promise<(chunk: number) => Uint8Array | undefined> => {
  const wanted = !sending.have.isEmpty && Array.from({ length: count }, (_, position) => start + position).some((chunk) => sending.have.hash(chunk) !== undefined && sending.journal.claimed.has(chunk));
  if (!wanted) return () => undefined;
  const records = await sending.journal.read(start, count);
  return (chunk) => (sending.journal.claimed.has(chunk) ? records.subarray((chunk - start) * hashBytes, (chunk - start + 1) * hashBytes) : undefined);
};
