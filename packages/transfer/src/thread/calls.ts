/** What can be asked of a file thread. Synchronous file system calls are several times quicker there than asynchronous ones [design §5]. */
import type { FilterPatterns } from '@peerd/protocol/path-filter';
import type { MergeOptions, MergeResult } from './merged-files.ts';
import type { SourceRead } from './source-files.ts';
import type { FinishResult } from './staged-files.ts';

export interface WalkBatch {
  /** Packed entries, in manifest order. */
  readonly entries: Uint8Array<ArrayBuffer>;
  readonly skipped: readonly { path: Uint8Array; code: 'special_file' | 'source_unreadable'; message: string }[];
  readonly skippedMore: number;
  readonly leftOut: number;
  readonly done: boolean;
}

export interface Calls {
  /** `name` of the top-level entry, if it is not that of the path. */
  walkOpen: { in: { paths: Uint8Array[]; name: Uint8Array | undefined; workingDirectory: Uint8Array; filter: FilterPatterns | undefined }; out: { name: Uint8Array; source: Uint8Array }[] };
  walkNext: { in: { limit: number; skips: number }; out: WalkBatch };
  sourcesOpen: { in: { roots: { name: Uint8Array; source: Uint8Array }[] }; out: void };
  sourceOpen: { in: { entry: Uint8Array }; out: number };
  /** Into `memory`, which comes back. */
  sourcesRead: { in: { entries: Uint8Array; memory: Uint8Array<ArrayBuffer> }; out: SourceRead };
  stagingOpen: { in: { rootFd: number }; out: void };
  stagedDirectories: { in: { entries: Uint8Array }; out: void };
  /** Gives the memory of the content back. */
  stagedWrite: { in: { entries: Uint8Array; content: Uint8Array<ArrayBuffer> }; out: Uint8Array<ArrayBuffer> };
  stagedOpenForWrite: { in: { entry: Uint8Array }; out: { fd: number; extendedFrom: number } };
  stagedOpenForRead: { in: { entry: Uint8Array }; out: { fd: number; size: number } | undefined };
  stagedHash: { in: { entries: Uint8Array }; out: Uint8Array<ArrayBuffer> };
  stagedFinish: { in: { entries: Uint8Array; keepOpen: boolean }; out: FinishResult };
  stagedFinishDirectories: { in: { entries: Uint8Array; flush: boolean }; out: void };
  mergeOpen: { in: MergeOptions; out: void };
  mergeEntries: { in: { entries: Uint8Array }; out: MergeResult };
  /** Leaves the directories that are still open. */
  mergeFinish: { in: Record<string, never>; out: void };
  /** `undefined`: the directory does not exist. */
  compareOpen: { in: { directoryFd: number | undefined }; out: void };
  /** Two bytes for each entry: a comparison and its risks. */
  compareEntries: { in: { entries: Uint8Array }; out: Uint8Array<ArrayBuffer> };
  basisOpen: { in: { directoryFd: number; chunkSize: number }; out: void };
  /** What may be read until the next call; `undefined`: there is nothing. */
  basisFile: { in: { entry: Uint8Array }; out: { fd: number; size: number } | undefined };
  basisCopy: { in: { offset: number; length: number; expected: Uint8Array }; out: Uint8Array<ArrayBuffer> };
  basisClose: { in: Record<string, never>; out: void };
  removeTree: { in: { path: Uint8Array; limit: number }; out: boolean };
}

export type CallName = keyof Calls;

export interface Request<K extends CallName = CallName> {
  readonly operation: number;
  readonly call: K;
  readonly input: Calls[K]['in'];
}

/** The operation is over: what it has opened is closed. */
export interface EndRequest {
  readonly operation: number;
  readonly call: 'end';
}

/** Errors lose their class on the way between threads, so what matters is carried by name. */
export interface FailedCall {
  readonly message: string;
  readonly code: string | undefined;
  readonly errno: number | undefined;
  /** Of the entry in the batch; of the path in `walkOpen`. */
  readonly position: number | undefined;
}

export type Reply = { readonly result: Calls[CallName]['out'] } | { readonly failed: FailedCall };
