/**
 * The main thread's side of the database. One group of requests is at the worker at a time; what is asked for meanwhile,
 * or within one turn, forms the next group and shares its commit.
 */
import { once } from 'node:events';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type ErrorCode, PeerdError } from '@peerd/protocol';
import { migrations as allMigrations } from './migrations/index.ts';
import type { Migration } from './migrations/migration.ts';
import type { Database, SqlValue, Statement } from './ports.ts';
import type { DatabaseRequest, FromWorker, OpenOutcome, RequestOutcome, SqliteFailure, ToWorker, WorkerSettings } from './requests.ts';

interface Waiting {
  readonly request: DatabaseRequest;
  readonly settle: (outcome: RequestOutcome) => void;
  readonly reject: (reason: PeerdError) => void;
}

export interface OpenOptions {
  readonly stateDir: string;
  /**
   * The database was damaged, or gone while its snapshot of trust was not; a fresh one was made.
   * `path`: where the damaged file is now. `restored`: rows of contacts, policies and pinned rendezvous that were kept apart from it.
   */
  readonly onLoss: (loss: { readonly path: string | undefined; readonly restored: number }) => void;
  /** What is trusted could not be written beside the database; it is tried again with the next change. */
  readonly onTrustNotKept?: (message: string) => void;
  /** The worker ended by itself: nothing can be stored any more. */
  readonly onFailure: (reason: PeerdError) => void;
  /** A group of requests was committed. */
  readonly onCommit?: (requests: number, seconds: number) => void;
  readonly migrations?: readonly Migration[];
  /** How long the disk may fail to flush before the worker ends. Default: 20 s. */
  readonly flushAgainForMs?: number;
}

const fileName = 'peerd.db';
/** Requests per transaction, and requests that may wait in all. */
const maxGroup = 4_096;
const maxWaiting = 65_536;

/** @throws PeerdError `state_locked`, `state_newer`, `io_error` */
export const openDatabase = async (options: OpenOptions): Promise<Database> => {
  await mkdir(options.stateDir, { recursive: true, mode: 0o700 });
  const path = join(options.stateDir, fileName);
  const workerData: WorkerSettings = { path, migrations: options.migrations ?? allMigrations, flushAgainForMs: options.flushAgainForMs };
  // Beside this file, in the sources (tests, development) as in the build.
  const worker = new Worker(new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url), { workerData, execArgv: [] });
  // Not `once`, which rejects with the error of a worker that fails; that is told by `onFailure`.
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  try {
    const [outcome] = (await once(worker, 'message')) as [OpenOutcome];
    checkOpened(outcome, options.stateDir, path);
    await chmod(path, 0o600);
    if (outcome.kind === 'opened' && (outcome.setAside !== undefined || outcome.restored > 0)) options.onLoss({ path: outcome.setAside, restored: outcome.restored });
  } catch (error) {
    await worker.terminate();
    throw error instanceof PeerdError ? error : new PeerdError('io_error', `cannot open ${path}: ${(error as Error).message}`, { cause: error });
  }
  return new WorkerDatabase(worker, exited, options);
};

const checkOpened = (outcome: OpenOutcome, stateDir: string, path: string): void => {
  switch (outcome.kind) {
    case 'opened':
      return;
    case 'locked':
      throw new PeerdError('state_locked', `another daemon uses the state directory ${stateDir}`, {
        hint: 'Stop it first, or give this one a directory of its own: --state-dir DIR.',
      });
    case 'newer':
      throw new PeerdError('state_newer', `${path} was written by a newer peerd (schema ${outcome.found}, this one knows ${outcome.known})`, {
        hint: 'Install the newer version again, or give this one another directory: --state-dir DIR.',
      });
    case 'failed':
      throw new PeerdError('io_error', `cannot open ${path}: ${outcome.error.message}`, { hint: 'The directory must be writable and its file system not full.' });
  }
};

class WorkerDatabase implements Database {
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #onCommit: (requests: number, seconds: number) => void;
  readonly #onTrustNotKept: (message: string) => void;
  #waiting: Waiting[] = [];
  #startedAt = 0;
  #inFlight: readonly Waiting[] = [];
  #scheduled = false;
  #failed: PeerdError | undefined;
  #closing: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  constructor(worker: Worker, exited: Promise<void>, { onFailure, onCommit, onTrustNotKept }: OpenOptions) {
    this.#worker = worker;
    this.#exited = exited;
    this.#onCommit = onCommit ?? (() => {});
    this.#onTrustNotKept = onTrustNotKept ?? (() => {});
    let cause: unknown;
    worker.on('message', (message: FromWorker) => this.#onMessage(message));
    worker.on('error', (error) => (cause = error));
    worker.on('exit', (code) => {
      if (this.#closing && code === 0) return;
      this.#failed = new PeerdError(isOfSystem(cause) ? 'io_error' : 'internal', `the database worker ended: ${cause instanceof Error ? cause.message : `exit code ${code}`}`, { cause });
      for (const { reject } of [...this.#inFlight, ...this.#waiting]) reject(this.#failed);
      this.#inFlight = [];
      this.#waiting = [];
      this.#idle?.();
      onFailure(this.#failed);
    });
  }

  async run(sql: string, ...params: SqlValue[]): Promise<{ changes: number }> {
    const { changes } = await this.#ask('run', [{ sql, params }]);
    return { changes };
  }

  async get<Row>(sql: string, ...params: SqlValue[]): Promise<Row | undefined> {
    const { rows } = await this.#ask('get', [{ sql, params }]);
    return rows[0] as Row | undefined;
  }

  async all<Row>(sql: string, ...params: SqlValue[]): Promise<Row[]> {
    const { rows } = await this.#ask('all', [{ sql, params }]);
    return rows as Row[];
  }

  async batch(statements: readonly Statement[]): Promise<void> {
    await this.#ask('batch', statements);
  }

  /** What was asked for before is done first. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#waiting.length + this.#inFlight.length > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#idle = resolve;
      await promise;
    }
    if (!this.#failed) this.#post({ kind: 'close' });
    await this.#exited;
  }

  #ask(kind: DatabaseRequest['kind'], statements: readonly Statement[]): Promise<Extract<RequestOutcome, { ok: true }>> {
    if (this.#failed) return Promise.reject(this.#failed);
    if (this.#closing) return Promise.reject(new PeerdError('shutting_down', 'the database is closed'));
    if (this.#waiting.length >= maxWaiting) return Promise.reject(new PeerdError('internal', 'the database cannot keep up: too many requests wait'));
    const { promise, resolve, reject } = Promise.withResolvers<Extract<RequestOutcome, { ok: true }>>();
    const settle = (outcome: RequestOutcome): void => (outcome.ok ? resolve(outcome) : reject(errorOf(outcome.error)));
    this.#waiting.push({ request: { kind, statements: statements.map(ownCopy) }, settle, reject });
    this.#schedule();
    return promise;
  }

  #schedule(): void {
    if (this.#scheduled || this.#inFlight.length > 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#inFlight = this.#waiting.splice(0, maxGroup);
      this.#startedAt = performance.now();
      if (this.#inFlight.length > 0) this.#post({ kind: 'group', requests: this.#inFlight.map(({ request }) => request) });
    });
  }

  #onMessage(message: FromWorker): void {
    if (message.kind === 'trust-not-kept') this.#onTrustNotKept(message.message);
    if (message.kind !== 'done') return;
    const done = this.#inFlight;
    this.#inFlight = [];
    this.#onCommit(done.length, (performance.now() - this.#startedAt) / 1_000);
    for (const [index, { settle }] of done.entries()) {
      const outcome = message.outcomes[index];
      if (outcome) settle(outcome);
    }
    if (this.#waiting.length > 0) this.#schedule();
    else this.#idle?.();
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}

/** A disk that fails, and no defect. */
const isOfSystem = (cause: unknown): boolean => cause instanceof Error && 'syscall' in cause;

/** Bytes may change after the call, and a view of a pooled buffer would be cloned with the whole pool. */
const ownCopy = ({ sql, params }: Statement): Statement =>
  params === undefined ? { sql } : { sql, params: params.map((value) => (value instanceof Uint8Array ? new Uint8Array(value) : value)) };

/** SQLite's primary result codes that are not a defect of ours. A page that the disk did not give back counts as malformed (11), too. */
const codes: Readonly<Record<number, ErrorCode>> = { 8: 'io_error', 10: 'io_error', 11: 'io_error', 13: 'no_space', 14: 'io_error', 26: 'io_error' };

const errorOf = ({ code, message }: SqliteFailure): PeerdError =>
  new PeerdError(codes[code] ?? 'internal', `database: ${message}`, { details: { sqliteCode: code } });
