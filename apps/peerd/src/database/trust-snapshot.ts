/**
 * Whom this peer trusts, once more beside the database: contacts, policies and pinned rendezvous are small, change seldom,
 * and can't be had again from elsewhere. STATE/trust.json is what a database that is damaged or gone begins with.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { DatabaseRequest } from './requests.ts';

const tables = ['contacts', 'policies', 'rendezvous_pins'] as const;
type Rows = Record<string, SQLInputValue>[];

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

  /** Fills the tables of a fresh database, with what the schema of today knows. @returns rows; none where there is no snapshot, or no readable one */
  restore(database: DatabaseSync): number {
    const document = this.#read();
    const known = knownTables(database);
    let restored = 0;
    for (const table of tables) {
      if (!known.has(table)) continue;
      const columns = new Set(database.prepare(`PRAGMA table_info(${table})`).all().map(({ name }) => String(name)));
      for (const row of document[table] ?? []) {
        const names = Object.keys(row).filter((name) => columns.has(name));
        const sql = `INSERT OR IGNORE INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
        restored += Number(database.prepare(sql).run(...names.map((name) => row[name] ?? null)).changes);
      }
    }
    return restored;
  }

  #read(): Partial<Record<string, Rows>> {
    try {
      return JSON.parse(readFileSync(this.#path, 'utf8')) as Partial<Record<string, Rows>>;
    } catch (error) {
      // Cut or changed from outside: it can't help, and must not keep the daemon from starting.
      if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return {};
      throw error;
    }
  }
}

const knownTables = (database: DatabaseSync): Set<string> => new Set(database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all().map(({ name }) => String(name)));
