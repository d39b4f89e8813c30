/** What is placed, how, and what comes of it. */
import type { ConflictPolicy } from '@peerd/protocol';
import type { Manifest } from '../manifest/manifest.ts';
import type { ChunkJournal } from '../store/chunk-journal.ts';
import type { IndexSet } from '../store/index-set.ts';
import type { PlacementLog } from '../store/placement.ts';
import type { Staging } from '../store/staging.ts';
import type { FileThread } from '../thread/file-thread.ts';
import type { Failure } from './seal.ts';

export interface PlaceOptions {
  /** When a top-level name exists: take the next free one, fail that entry, or merge into what is there. */
  readonly conflict: ConflictPolicy;
  readonly durability: 'transfer' | 'none';
  readonly log: PlacementLog;
  readonly signal: AbortSignal;
}

export interface PlaceResult {
  /** Final names of the delivered top-level entries, in manifest order. */
  readonly savedAs: readonly { readonly entry: number; readonly name: Buffer }[];
  /** Manifest entries; those in a directory that failed have failed too. */
  readonly delivered: number;
  readonly failed: number;
  /** Left as they were, by the policy `skip`. */
  readonly skipped: number;
}

export interface Received {
  readonly manifest: Manifest;
  readonly journal: ChunkJournal;
  readonly staging: Staging;
  readonly thread: FileThread;
  /** Grows by what fails here. */
  readonly failures: Map<number, Failure>;
  /** So does this, by entry index. */
  readonly skipped: IndexSet;
}
