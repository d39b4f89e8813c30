/**
 * Whom this peer trusts, once more beside the database: contacts, policies and pinned rendezvous are small, change seldom,
 * and can't be had again from elsewhere. STATE/trust.json is what a database that is damaged or gone begins with.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { DatabaseRequest } from './requests.ts';

const tables = ['contacts', 'policies', 'rendezvous_pins'] as const;
type Row = Record<string, SQLInputValue>;

const SQLITE_CONSTRAINT = 19;

const mentionsTable = new RegExp(`\\b(?:${tables.join('|')})\\b`);

/** Whether the snapshot may be out of date afterwards. */
export const changesTrust = ({ kind, statements }: DatabaseRequest): boolean => (kind === 'run' || kind === 'batch') && statements.some(({ sql }) => mentionsTable.test(sql));

export class TrustSnapshot {
  readonly #path: string;

  /** @param database path of the database */
  constructor(database: string) {
    this.#path = join(dirname(database), 'trust.json');
  }

  /** Atomic: after a crash the former or the new one is there, whole. @throws errno errors */
  write(database: DatabaseSync): void {
    const known = knownTables(database);
    const document = Object.fromEntries(tables.filter((table) => known.has(table)).map((table) => [table, database.prepare(`SELECT * FROM ${table}`).all()]));
    const next = `${this.#path}.next`;
    writeFileSync(next, `${JSON.stringify(document, undefined, 1)}\n`, { mode: 0o600, flush: true });
    renameSync(next, this.#path);
    const directory = openSync(dirname(this.#path), 'r');
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  }

  /** Fills the tables of a fresh database, with what the schema of today knows and takes. @returns rows; none where there is no snapshot, or no readable one */
  restore(database: DatabaseSync): number {
    const document = this.#read();
    const known = knownTables(database);
    let restored = 0;
    for (const table of tables) {
      if (!known.has(table)) continue;
      const columns = new Set(database.prepare(`PRAGMA table_info(${table})`).all().map(({ name }) => String(name)));
      for (const row of rowsOf(document[table])) {
        const names = Object.keys(row).filter((name) => columns.has(name));
        if (names.length === 0) continue;
        const sql = `INSERT OR IGNORE INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
        try {
          restored += Number(database.prepare(sql).run(...names.map((name) => row[name] ?? null)).changes);
        } catch (error) {
          if (!isRefusal(error)) throw error;
        }
      }
    }
    return restored;
  }

  #read(): Readonly<Record<string, unknown>> {
    try {
      const document: unknown = JSON.parse(readFileSync(this.#path, 'utf8'));
      return isObject(document) ? document : {};
    } catch (error) {
      // Cut or changed from outside: it can't help, and must not keep the daemon from starting.
      if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return {};
      throw error;
    }
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const rowsOf = (value: unknown): Row[] => (Array.isArray(value) ? value : []).filter((row): row is Row => isObject(row));

/** Of this row, not of the disk: a value of another kind, or one that the table does not take. */
const isRefusal = (error: unknown): boolean => {
  const { code, errcode = 0 } = error as { code?: string; errcode?: number };
  return code === 'ERR_INVALID_ARG_TYPE' || (errcode & 0xff) === SQLITE_CONSTRAINT;
};

const knownTables = (database: DatabaseSync): Set<string> => new Set(database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all().map(({ name }) => String(name)));
