/** The public door of the transfer package: a file becomes chunks, and again a file. */
import type { Frame, ManifestEntry, StageTimes } from '@peerd/protocol';

export interface ManifestSummary {
  readonly entries: number;
  readonly bytes: number;
  readonly pages: number;
  readonly manifestBytes: number;
  readonly chunks: number;
  readonly offerRoot: Buffer;
}
export interface SkippedPath {
  readonly path: Buffer;
  readonly code: 'special_file' | 'link_escapes' | 'source_unreadable';
  readonly message: string;
}
export interface SourceRoot {
  readonly name: Buffer;
  readonly source: Buffer;
}
export interface ScanResult extends ManifestSummary {
  /** At most 100. */
  readonly skipped: readonly SkippedPath[];
  readonly skippedTotal: number;
  readonly roots: readonly SourceRoot[];
}
export declare function scanSources(o: { paths: readonly Buffer[]; manifestPath: string; chunkSize: number; signal: AbortSignal }): Promise<ScanResult>;

export interface AnnouncedManifest {
  readonly entries: number;
  readonly bytes: number;
  readonly pages: number;
  readonly manifestBytes: number;
  readonly offerRoot: Uint8Array;
}
export declare class ManifestWriter {
  private constructor();
  static open(o: { path: string; chunkSize: number; announced: AnnouncedManifest }): Promise<ManifestWriter>;
  get nextPage(): number;
  append(index: number, page: Uint8Array): Promise<void>;
  finish(): Promise<ManifestSummary>;
  discard(): Promise<void>;
}
export interface IndexedEntry {
  readonly index: number;
  readonly entry: ManifestEntry;
  readonly firstChunk: number;
}
export declare class Manifest {
  private constructor();
  static open(path: string, chunkSize: number): Promise<Manifest>;
  readonly summary: ManifestSummary;
  page(index: number): Promise<Buffer>;
  entries(from?: number, limit?: number): AsyncGenerator<IndexedEntry, void, void>;
  topLevel(): AsyncGenerator<{ index: number; entry: ManifestEntry }, void, void>;
  close(): Promise<void>;
}

export interface DataSink {
  write(buffers: readonly Uint8Array[]): Promise<void>;
}
export declare class HaveSet {
  constructor(chunks: number);
  add(start: number, hashes: Uint8Array): void;
}
export type EntryFailureCode = 'source_changed' | 'source_missing' | 'source_unreadable' | 'io_error';
export interface SendContentOptions {
  readonly manifest: Manifest;
  readonly roots: readonly SourceRoot[];
  readonly journalPath: string;
  readonly have: HaveSet;
  readonly alreadyFailed: ReadonlySet<number>;
  readonly sink: DataSink;
  onEntryFailed(entry: number, code: EntryFailureCode, message: string): void;
  onChunksSent(count: number, bytes: number): void;
  readonly stages: StageClock;
  readonly signal: AbortSignal;
}
export declare function sendContent(o: SendContentOptions): Promise<{ contentRoot: Buffer; failed: number }>;

export interface ReceiverOptions {
  readonly manifest: Manifest;
  readonly destination: Buffer | string;
  readonly stagingName: string;
  readonly journalPath: string;
  readonly stages: StageClock;
}
export interface PlacementLog {
  intended(entry: number): Promise<{ name: Buffer; inode: bigint; done: boolean } | undefined>;
  intend(entry: number, name: Buffer, inode: bigint): Promise<void>;
  placed(entry: number): Promise<void>;
}
export interface PlaceOptions {
  readonly conflict: 'rename' | 'fail';
  readonly durability: 'transfer' | 'none';
  readonly log: PlacementLog;
  readonly signal: AbortSignal;
}
export interface PlaceResult {
  readonly savedAs: readonly { entry: number; name: Buffer }[];
  readonly delivered: number;
  readonly failed: number;
}
export declare class Receiver {
  private constructor();
  static open(o: ReceiverOptions): Promise<Receiver>;
  static discard(o: { destination: Buffer | string; stagingName: string; journalPath: string }): Promise<void>;
  get sealed(): boolean;
  get counters(): { received: number; reused: number; rewritten: number };
  get bytesDone(): number;
  get failures(): ReadonlyMap<number, { code: string; message: string }>;
  verify(signal: AbortSignal): Promise<void>;
  have(): Generator<{ start: number; hashes: Buffer }, void, void>;
  frame(frame: Frame): Promise<void>;
  entryFailed(entry: number, code: string, message: string): void;
  complete(contentRoot: Uint8Array): Promise<void>;
  place(o: PlaceOptions): Promise<PlaceResult>;
  fileRoot(entryIndex: number): Promise<Buffer | undefined>;
  close(): Promise<void>;
}
/** Root of one file from a journal (of either side); `undefined` while chunks are missing or the entry is no file. */
export declare function fileRootOf(o: { manifest: Manifest; journalPath: string; entry: number }): Promise<Buffer | undefined>;

export declare class StageClock {
  get times(): StageTimes;
  add(stage: keyof StageTimes, ms: number): void;
  time<T>(stage: keyof StageTimes, run: () => Promise<T>): Promise<T>;
}
export declare function freeBytes(directory: Buffer | string): Promise<number>;
