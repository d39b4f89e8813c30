/** What the main thread and the database worker say to each other. Plain data: it crosses by structured clone. */
import type { Migration } from './migrations/migration.ts';
import type { SqlValue, Statement } from './ports.ts';

export interface WorkerSettings {
  readonly path: string;
  readonly migrations: readonly Migration[];
  /** How long what could not be flushed is written anew before the worker ends. */
  readonly flushAgainForMs?: number | undefined;
}

/** `batch` is all or nothing; the others are one statement. */
export interface DatabaseRequest {
  readonly kind: 'run' | 'get' | 'all' | 'batch';
  readonly statements: readonly Statement[];
}

export type Row = Record<string, SqlValue>;

export type RequestOutcome =
  | { readonly ok: true; readonly changes: number; readonly rows: readonly Row[] }
  | { readonly ok: false; readonly error: SqliteFailure };

/** An error of SQLite. `code` is its primary result code (https://sqlite.org/rescode.html), 0 for any other error. */
export interface SqliteFailure {
  readonly code: number;
  readonly message: string;
}

export type OpenOutcome =
  /** `setAside`: where the damaged file is now. `restored`: rows of contacts, policies and pins that a fresh database began with. */
  | { readonly kind: 'opened'; readonly setAside: string | undefined; readonly restored: number }
  | { readonly kind: 'locked' }
  | { readonly kind: 'newer'; readonly found: number; readonly known: number }
  | { readonly kind: 'failed'; readonly error: SqliteFailure };

export type ToWorker = { readonly kind: 'group'; readonly requests: readonly DatabaseRequest[] } | { readonly kind: 'close' };
export type FromWorker =
  | OpenOutcome
  | { readonly kind: 'done'; readonly outcomes: readonly RequestOutcome[] }
  | { readonly kind: 'trust-not-kept'; readonly message: string }
  | { readonly kind: 'closed' };
