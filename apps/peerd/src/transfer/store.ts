/** The rows of transfers, of the entries that failed in them, and of what was placed where. */
import type { PeerId, TransferId } from '@peerd/protocol';
import type { PlacementLog } from '@peerd/transfer';
import type { Database, SqlValue, Statement } from '../database/ports.ts';
import type { Idleness } from './idleness.ts';
import { type Direction, fixedColumns, lateColumns, recordOf, stateColumns, type TransferKey, type TransferRecord, type TransferRow } from './record.ts';

export interface Failure {
  readonly entry: number;
  readonly code: string;
  readonly message: string;
}

/** All that are not large. */
const smallColumns = `direction, peer, id, group_id, peer_name, note, conflict, limit_rate, compress, priority, request_key, request_digest, entries, bytes, pages, manifest_bytes, chunk_size, offer_root, created_at, chunks, state, untold,
  cleaned, error_code, error_message, paused_here, paused_there, destination, content_root, bytes_done, sent, received, reused, rewritten, skipped, traffic, stages, idle_days, idle_bytes, idle_at, updated_at, offered_at, decided_at, finished_at`;
const byKey = 'direction = ? AND peer = ? AND id = ?';
const keyOf = (key: TransferKey): SqlValue[] => [key.direction, key.peer, key.id];

const insertOf = (record: TransferRecord): Statement => {
  const columns = Object.entries({ ...fixedColumns(record), ...lateColumns(record), ...stateColumns(record) });
  return {
    sql: `INSERT INTO transfers (${columns.map(([name]) => name).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    params: columns.map(([, value]) => value),
  };
};

const updateOf = (record: TransferRecord, columns: Partial<Record<keyof TransferRow, SqlValue>>): Statement => {
  const list = Object.entries(columns);
  return { sql: `UPDATE transfers SET ${list.map(([name]) => `${name} = ?`).join(', ')} WHERE ${byKey}`, params: [...list.map(([, value]) => value), ...keyOf(record)] };
};

/** Placements of one transfer that are kept in memory until it is over. */
const rememberedPlacements = 4_096;

export class TransferStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** All of them or none. */
  insert(records: readonly TransferRecord[]): Promise<void> {
    return this.#database.batch(records.map(insertOf));
  }

  /** @param late the columns that rarely change as well */
  save(record: TransferRecord, late: boolean): Promise<void> {
    return this.#database.batch([updateOf(record, late ? { ...stateColumns(record), ...lateColumns(record) } : stateColumns(record))]);
  }

  /** Apart from the state, which may just be between two steps. */
  async saveIdleness(key: TransferKey, { days, bytes, at }: Idleness): Promise<void> {
    await this.#database.run(`UPDATE transfers SET idle_days = ?, idle_bytes = ?, idle_at = ? WHERE ${byKey}`, days, bytes, at, ...keyOf(key));
  }

  async get(key: TransferKey): Promise<TransferRecord | undefined> {
    const row = await this.#database.get<TransferRow>(`SELECT * FROM transfers WHERE ${byKey}`, ...keyOf(key));
    return row && recordOf(row);
  }

  /** Whatever is not over, of which the other side may not know, or after which something is left to tidy. */
  async open(): Promise<TransferRecord[]> {
    const rows = await this.#database.all<TransferRow>('SELECT * FROM transfers WHERE finished_at IS NULL OR untold = 1 OR cleaned = 0 ORDER BY created_at, id');
    return rows.map(recordOf);
  }

  /** Those that are not over and the latest ones, oldest first, without what is large in them. */
  async latest(limit: number): Promise<TransferRecord[]> {
    const rows = await this.#database.all<TransferRow>(
      `SELECT ${smallColumns}, NULL AS roots, NULL AS top_level, NULL AS saved_as, NULL AS skipped_runs, NULL AS receipt_body, NULL AS receipt_signature FROM transfers
       WHERE finished_at IS NULL OR rowid IN (SELECT rowid FROM transfers ORDER BY created_at DESC, id DESC LIMIT ?) ORDER BY created_at, id`,
      limit,
    );
    return rows.map(recordOf);
  }

  /** Those that are over, newest first, with their receipts and final names. */
  async ended({ peers, state }: { peers: readonly PeerId[] | undefined; state: string | undefined }, offset: number, limit: number): Promise<{ records: TransferRecord[]; total: number }> {
    const where = ['finished_at IS NOT NULL', ...(peers ? [`peer IN (${peers.map(() => '?').join(', ')})`] : []), ...(state === undefined ? [] : ['state = ?'])].join(' AND ');
    const params = [...(peers ?? []), ...(state === undefined ? [] : [state])];
    const [rows, counted] = await Promise.all([
      this.#database.all<TransferRow>(
        `SELECT ${smallColumns}, NULL AS roots, NULL AS top_level, NULL AS skipped_runs, saved_as, receipt_body, receipt_signature FROM transfers WHERE ${where} ORDER BY finished_at DESC, id DESC LIMIT ? OFFSET ?`,
        ...params, limit, offset,
      ),
      this.#database.get<{ total: number }>(`SELECT COUNT(*) AS total FROM transfers WHERE ${where}`, ...params),
    ]);
    return { records: rows.map(recordOf), total: counted?.total ?? 0 };
  }

  /** Everybody with whom there are transfers, under every name that they had then. */
  peers(): Promise<{ id: PeerId; name: string }[]> {
    return this.#database.all<{ id: PeerId; name: string }>('SELECT DISTINCT peer AS id, peer_name AS name FROM transfers LIMIT 30000');
  }

  /** @param prefix checked by the caller: no character that means something to GLOB */
  async withPrefix(prefix: string, direction: Direction | undefined, limit: number): Promise<TransferRecord[]> {
    const rows = await this.#database.all<TransferRow>(
      `SELECT * FROM transfers WHERE id GLOB ? ${direction === undefined ? '' : 'AND direction = ?'} ORDER BY id LIMIT ?`,
      `${prefix}*`, ...(direction === undefined ? [] : [direction]), limit,
    );
    return rows.map(recordOf);
  }

  /** The latest one that was sent to the peer under this key. */
  async withKey(peer: PeerId, key: string): Promise<TransferRecord | undefined> {
    const row = await this.#database.get<TransferRow>(`SELECT * FROM transfers WHERE direction = 'send' AND peer = ? AND request_key = ? ORDER BY created_at DESC, id DESC LIMIT 1`, peer, key);
    return row && recordOf(row);
  }

  async exists(direction: Direction, id: TransferId): Promise<boolean> {
    return (await this.#database.get('SELECT 1 FROM transfers WHERE id = ? AND direction = ? LIMIT 1', id, direction)) !== undefined;
  }

  async keys(): Promise<TransferKey[]> {
    return this.#database.all<{ direction: Direction; peer: PeerId; id: TransferId }>('SELECT direction, peer, id FROM transfers');
  }

  /** Over, told, tidy, and ended before `time`; what was never accepted here, before `undeliveredTime`. */
  finishedBefore(time: number, undeliveredTime: number): Promise<TransferKey[]> {
    return this.#database.all<{ direction: Direction; peer: PeerId; id: TransferId }>(
      `SELECT direction, peer, id FROM transfers WHERE untold = 0 AND cleaned = 1 AND (finished_at < ? OR (finished_at < ? AND direction = 'receive' AND destination IS NULL))`,
      time, undeliveredTime,
    );
  }

  async remove(key: TransferKey): Promise<void> {
    await this.#database.run(`DELETE FROM transfers WHERE ${byKey}`, ...keyOf(key));
  }

  async addFailures(key: TransferKey, failures: readonly Failure[]): Promise<void> {
    await this.#database.batch(
      failures.map(({ entry, code, message }) => ({
        sql: 'INSERT INTO transfer_failures (direction, peer, id, entry, code, message) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
        params: [...keyOf(key), entry, code, message],
      })),
    );
  }

  failures(key: TransferKey): Promise<Failure[]> {
    return this.#database.all<Failure & Record<string, SqlValue>>(`SELECT entry, code, message FROM transfer_failures WHERE ${byKey} ORDER BY entry`, ...keyOf(key));
  }

  /** Final names of top-level entries by manifest index. */
  async placements(key: TransferKey, limit: number): Promise<Map<number, Buffer>> {
    const rows = await this.#database.all<{ entry: number; name: Uint8Array }>(
      `SELECT entry, name FROM transfer_placements WHERE ${byKey} AND placed = 1 ORDER BY entry LIMIT ?`, ...keyOf(key), limit,
    );
    return new Map(rows.map(({ entry, name }) => [entry, Buffer.from(name)]));
  }

  placementLog(key: TransferKey): PlacementLog {
    const database = this.#database;
    /** What was written through this object: it is asked for again at the end, entry by entry. */
    const written = new Map<number, { name: Buffer; inode: bigint; done: boolean }>();
    return {
      intended: async (entry) => {
        const known = written.get(entry);
        if (known) return known;
        const row = await database.get<{ name: Uint8Array; inode: number | bigint; placed: number }>(
          `SELECT name, inode, placed FROM transfer_placements WHERE ${byKey} AND entry = ?`, ...keyOf(key), entry,
        );
        return row && { name: Buffer.from(row.name), inode: BigInt.asUintN(64, BigInt(row.inode)), done: row.placed === 1 };
      },
      intend: async (entry, name, inode) => {
        // SQLite's integers are signed.
        await database.run(
          `INSERT INTO transfer_placements (direction, peer, id, entry, name, inode, placed) VALUES (?, ?, ?, ?, ?, ?, 0)
           ON CONFLICT DO UPDATE SET name = excluded.name, inode = excluded.inode, placed = 0`,
          ...keyOf(key), entry, name, BigInt.asIntN(64, inode),
        );
        if (written.size < rememberedPlacements || written.has(entry)) written.set(entry, { name, inode, done: false });
      },
      placed: async (entry) => {
        await database.run(`UPDATE transfer_placements SET placed = 1 WHERE ${byKey} AND entry = ?`, ...keyOf(key), entry);
        const known = written.get(entry);
        if (known) written.set(entry, { ...known, done: true });
      },
    };
  }
}
