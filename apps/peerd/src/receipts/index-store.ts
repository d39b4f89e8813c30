/** Where the entries stand, in the database. The newest row is the head of the chain. */
import type { PeerId, ReceiptBody, ReceiptRole, TransferId } from '@peerd/protocol';
import type { Database } from '../database/ports.ts';
import type { ReceiptKey } from './ports.ts';

export interface IndexRow extends ReceiptKey {
  readonly seq: number;
  readonly offset: number;
  readonly bytes: number;
  readonly hash: Buffer;
  /** Read only. */
  readonly peerName?: string | undefined;
}

interface StoredRow {
  seq: number;
  offset: number;
  bytes: number;
  hash: Uint8Array;
  role: ReceiptRole;
  peer: PeerId;
  transfer: TransferId;
  peer_name: string | null;
}

const rowOf = ({ seq, offset, bytes, hash, role, peer, transfer, peer_name }: StoredRow): IndexRow => ({
  seq, offset, bytes, hash: Buffer.from(hash), role, peer, transfer, peerName: peer_name ?? undefined,
});

const select = 'SELECT *, (SELECT peer_name FROM transfers WHERE id = receipts.transfer AND peer = receipts.peer LIMIT 1) AS peer_name FROM receipts';

export const keyOf = (role: ReceiptRole, body: ReceiptBody): ReceiptKey => ({ role, peer: role === 'sent' ? body.receiver : body.sender, transfer: body.transfer });

export class ReceiptIndex {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async head(): Promise<IndexRow | undefined> {
    const row = await this.#database.get<StoredRow>(`${select} ORDER BY seq DESC LIMIT 1`);
    return row && rowOf(row);
  }

  async insert({ seq, offset, bytes, hash, role, peer, transfer }: IndexRow): Promise<void> {
    await this.#database.run('INSERT INTO receipts (seq, offset, bytes, hash, role, peer, transfer) VALUES (?, ?, ?, ?, ?, ?, ?)', seq, offset, bytes, hash, role, peer, transfer);
  }

  async find({ role, peer, transfer }: ReceiptKey): Promise<IndexRow | undefined> {
    const row = await this.#database.get<StoredRow>(`${select} WHERE transfer = ? AND role = ? AND peer = ? ORDER BY seq DESC LIMIT 1`, transfer, role, peer);
    return row && rowOf(row);
  }

  async page(offset: number, limit: number): Promise<IndexRow[]> {
    return (await this.#database.all<StoredRow>(`${select} ORDER BY seq DESC LIMIT ? OFFSET ?`, limit, offset)).map(rowOf);
  }

  async count(): Promise<number> {
    return (await this.#database.get<{ count: number }>('SELECT COUNT(*) AS count FROM receipts'))?.count ?? 0;
  }
}
