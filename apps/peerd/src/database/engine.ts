/**
 * SQLite itself: synchronous, for the worker thread.
 *
 * 1. open: exclusive lock, write-ahead log, integrity, migrations; a fresh one begins with the trust that was kept beside it
 * 2. execute: one group of requests in one transaction, on stable storage before it is answered
 */
import { renameSync, existsSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { LogFile } from './log-file.ts';
import type { Statement } from './ports.ts';
import type { DatabaseRequest, OpenOutcome, RequestOutcome, Row, SqliteFailure, WorkerSettings } from './requests.ts';
import { changesTrust, TrustSnapshot } from './trust-snapshot.ts';

/** Primary result codes, https://sqlite.org/rescode.html */
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** A daemon that is just ending may hold the lock for so long. */
const lockWaitMs = 1_000;
const maxCachedStatements = 256;

/** Shorter than the patience of a watchdog. */
const defaultFlushAgainForMs = 20_000;
const flushAgainMs = 250;

export interface Engine {
  execute(requests: readonly DatabaseRequest[]): RequestOutcome[];
  /** Brings the snapshot of trust up to date; what fails is tried again with the next call. @throws errno errors */
  keepTrust(): void;
  close(): void;
}

/** A file that is no intact database is renamed, never deleted, and a fresh one is made. */
export const openEngine = (settings: WorkerSettings): { outcome: OpenOutcome; engine: Engine | undefined } => {
  try {
    return attempt(settings, undefined);
  } catch (error) {
    const failure = failureOf(error);
    if (failure.code !== SQLITE_CORRUPT && failure.code !== SQLITE_NOTADB) return { outcome: { kind: 'failed', error: failure }, engine: undefined };
  }
  try {
    return attempt(settings, setAside(settings.path));
  } catch (error) {
    return { outcome: { kind: 'failed', error: failureOf(error) }, engine: undefined };
  }
};

const attempt = (settings: WorkerSettings, setAsidePath: string | undefined): { outcome: OpenOutcome; engine: Engine | undefined } => {
  const database = new DatabaseSync(settings.path, { timeout: lockWaitMs, enableForeignKeyConstraints: true });
  let engine: Engine | undefined;
  try {
    const outcome = prepare(database, settings, setAsidePath);
    if (outcome.kind === 'opened') engine = engineOf(database, new LogFile(settings.path), new TrustSnapshot(settings.path), settings.flushAgainForMs ?? defaultFlushAgainForMs);
    return { outcome, engine };
  } finally {
    if (!engine) database.close();
  }
};

const prepare = (database: DatabaseSync, { path, migrations }: WorkerSettings, setAside: string | undefined): OpenOutcome => {
  try {
    // Exclusive before the first access: the lock is held until the process ends, and no shared-memory file is needed.
    // NORMAL flushes at checkpoints; after each commit we do.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE; COMMIT;');
  } catch (error) {
    if (failureOf(error).code === SQLITE_BUSY) return { kind: 'locked' };
    throw error;
  }
  const check = database.prepare('PRAGMA quick_check(1)').get();
  if (check?.['quick_check'] !== 'ok') throw Object.assign(new Error(String(check?.['quick_check'])), { errcode: SQLITE_CORRUPT });
  const found = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  const known = migrations.length;
  if (found > known) return { kind: 'newer', found, known };
  let restored = 0;
  for (const migration of migrations.slice(found)) {
    inTransaction(database, () => {
      database.exec(migration.sql);
      database.exec(`PRAGMA user_version = ${migration.id}`);
      // With the last step: a crash in between begins again.
      if (found === 0 && migration.id === known) restored = new TrustSnapshot(path).restore(database);
    });
  }
  return { kind: 'opened', setAside, restored };
};

const inTransaction = (database: DatabaseSync, run: () => void): void => {
  database.exec('BEGIN IMMEDIATE');
  try {
    run();
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
};

/** With its journal: both together are what a rescue needs. */
const setAside = (path: string): string => {
  const suffix = `.corrupt-${new Date().toISOString().replaceAll(':', '-')}`;
  for (const part of ['', '-wal', '-journal', '-shm']) if (existsSync(path + part)) renameSync(path + part, path + suffix + part);
  return path + suffix;
};

const engineOf = (database: DatabaseSync, log: LogFile, trust: TrustSnapshot, flushAgainForMs: number): Engine => {
  // At the start too: it may be from before a version that keeps it, or a crash may have come between.
  let isTrustChanged = true;
  const statements = new Map<string, StatementSync>();
  const prepared = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known) return known;
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    if (statements.size >= maxCachedStatements) statements.clear();
    statements.set(sql, statement);
    return statement;
  };
  const step = ({ sql, params = [] }: Statement, kind: DatabaseRequest['kind']): { changes: number; rows: Row[] } => {
    const statement = prepared(sql);
    const values = params as readonly SQLInputValue[];
    if (kind === 'get') {
      const row = statement.get(...values);
      return { changes: 0, rows: row ? [rowOf(row)] : [] };
    }
    if (kind === 'all') return { changes: 0, rows: statement.all(...values).map(rowOf) };
    return { changes: Number(statement.run(...values).changes), rows: [] };
  };
  const one = (request: DatabaseRequest): RequestOutcome => {
    database.exec('SAVEPOINT request');
    try {
      let changes = 0;
      let rows: Row[] = [];
      for (const statement of request.statements) {
        const result = step(statement, request.kind);
        changes += result.changes;
        rows = result.rows;
      }
      database.exec('RELEASE request');
      return { ok: true, changes, rows };
    } catch (error) {
      // Some errors (a full disk) have rolled back everything; then no later request may seem to be committed.
      if (!database.isTransaction) throw error;
      database.exec('ROLLBACK TO request; RELEASE request');
      return { ok: false, error: failureOf(error) };
    }
  };
  const totalChanges = database.prepare('SELECT total_changes() AS changes');
  let flushed = totalChanges.get()?.['changes'];
  const commit = (requests: readonly DatabaseRequest[]): RequestOutcome[] => {
    try {
      database.exec('BEGIN IMMEDIATE');
      const outcomes = requests.map(one);
      database.exec('COMMIT');
      isTrustChanged ||= requests.some(changesTrust);
      return outcomes;
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      return requests.map(() => ({ ok: false, error: failureOf(error) }));
    }
  };
  /**
   * After a flush that failed no later one proves anything of the same pages. So they are written anew, into the database itself,
   * again and again while the disk fails: nobody is answered meanwhile. In the end the worker ends. The log is cut then: if only
   * its beginning is on the disk, a start after a power failure would take older pages from it than the database has.
   */
  const flush = (): void => {
    try {
      return log.flush();
    } catch (cause) {
      for (const deadline = performance.now() + flushAgainForMs; ; Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, flushAgainMs)) {
        try {
          database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
          return log.begin();
        } catch {
          if (performance.now() > deadline) throw cause;
        }
      }
    }
  };
  return {
    execute: (requests) => {
      const outcomes = commit(requests);
      const changes = totalChanges.get()?.['changes'];
      if (changes !== flushed) flush();
      flushed = changes;
      return outcomes;
    },
    keepTrust: () => {
      if (!isTrustChanged) return;
      trust.write(database);
      isTrustChanged = false;
    },
    close: () => {
      statements.clear();
      database.exec('PRAGMA optimize');
      database.close();
      log.close();
    },
  };
};

/** Integers are read as bigint, because an inode may not fit a number, and become numbers where they do. */
const rowOf = (row: Record<string, SQLOutputValue>): Row =>
  Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value]),
  );

/** The low byte is the primary result code. */
const failureOf = (error: unknown): SqliteFailure => ({
  code: ((error as { errcode?: number }).errcode ?? 0) & 0xff,
  message: error instanceof Error ? error.message : String(error),
});
