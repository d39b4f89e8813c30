/** The messages table. */
import type { PeerId } from '@peerd/protocol';
import type { Database, SqlValue } from '../database/ports.ts';
import type { StoredMessage, Unstored } from './message.ts';
import type { MessageQuery } from './ports.ts';

export interface StoreLimits {
  /** Messages kept of one stranger, and of all strangers together. Further ones are not stored. */
  readonly perStranger: number;
  readonly ofStrangers: number;
  /** Messages kept of one peer, both directions. The oldest ones give way. */
  readonly perPeer: number;
}

interface Row {
  readonly seq: number;
  readonly peer: string;
  readonly peer_name: string;
  readonly id: string;
  readonly direction: 'sent' | 'received';
  readonly text: string;
  readonly sent_at: number;
  readonly state: 'queued' | 'delivered';
  readonly stranger: number;
}

const columns = 'seq, peer, peer_name, id, direction, text, sent_at, state, stranger';

const messageOf = (row: Row): StoredMessage => ({
  seq: row.seq,
  peer: row.peer,
  peerName: row.peer_name,
  id: row.id,
  direction: row.direction,
  text: row.text,
  sentAt: row.sent_at,
  state: row.state,
  stranger: row.stranger > 0,
});

export class MessageStore {
  readonly #database: Database;
  readonly #limits: StoreLimits;

  constructor(database: Database, limits: StoreLimits) {
    this.#database = database;
    this.#limits = limits;
  }

  /** A message of ours, not delivered yet. */
  async queue(message: Unstored): Promise<StoredMessage> {
    const row = await this.#database.get<Row>(
      `INSERT INTO messages (peer, peer_name, id, direction, text, sent_at, state, stranger) VALUES (?, ?, ?, 'sent', ?, ?, 'queued', 0) RETURNING ${columns}`,
      message.peer, message.peerName, message.id, message.text, message.sentAt,
    );
    if (!row) throw new Error('INSERT … RETURNING gave no row');
    return messageOf(row);
  }

  /** `undefined`: the peer acknowledged something that is not waiting. */
  async acknowledged(peer: PeerId, id: string): Promise<StoredMessage | undefined> {
    const row = await this.#database.get<Row>(
      `UPDATE messages SET state = 'delivered' WHERE peer = ? AND direction = 'sent' AND id = ? AND state = 'queued' RETURNING ${columns}`, peer, id,
    );
    return row && messageOf(row);
  }

  /** `full`: a stranger has as many messages here as it may. */
  async receive(message: Omit<StoredMessage, 'seq' | 'direction' | 'state'>): Promise<StoredMessage | 'duplicate' | 'full'> {
    const { perStranger, ofStrangers } = this.#limits;
    const params: SqlValue[] = [message.peer, message.peerName, message.id, message.text, message.sentAt, message.stranger ? 1 : 0];
    const room = message.stranger
      ? 'WHERE (SELECT count(*) FROM messages WHERE peer = ? AND stranger = 1) < ? AND (SELECT count(*) FROM messages WHERE stranger = 1) < ?'
      : 'WHERE true';
    if (message.stranger) params.push(message.peer, perStranger, ofStrangers);
    const row = await this.#database.get<Row>(
      `INSERT INTO messages (peer, peer_name, id, direction, text, sent_at, state, stranger)
       SELECT ?, ?, ?, 'received', ?, ?, 'delivered', ? ${room} ON CONFLICT DO NOTHING RETURNING ${columns}`, ...params,
    );
    if (row) return messageOf(row);
    const known = await this.#database.get("SELECT 1 FROM messages WHERE peer = ? AND direction = 'received' AND id = ?", message.peer, message.id);
    return known ? 'duplicate' : 'full';
  }

  /** Ours that are not acknowledged, in the order in which they were written. */
  async queued(peer: PeerId, after: number, limit: number): Promise<StoredMessage[]> {
    const rows = await this.#database.all<Row>(
      `SELECT ${columns} FROM messages WHERE peer = ? AND seq > ? AND state = 'queued' ORDER BY seq LIMIT ?`, peer, after, limit,
    );
    return rows.map(messageOf);
  }

  /** Of each peer that has any. */
  async queuedCounts(): Promise<Map<PeerId, number>> {
    const rows = await this.#database.all<{ peer: string; count: number }>("SELECT peer, count(*) AS count FROM messages WHERE state = 'queued' GROUP BY peer");
    return new Map(rows.map(({ peer, count }) => [peer, count]));
  }

  async latest(query: MessageQuery): Promise<StoredMessage[]> {
    const where = query.peer === undefined ? 'min(stranger, 1) = ?' : 'peer = ?';
    const rows = await this.#database.all<Row>(
      `SELECT ${columns} FROM messages WHERE ${where} ORDER BY seq DESC LIMIT ?`, query.peer ?? (query.strangers === true ? 1 : 0), query.limit,
    );
    return rows.map(messageOf).toReversed();
  }

  async ofStrangers(): Promise<number> {
    return (await this.#database.get<{ count: number }>('SELECT count(*) AS count FROM messages WHERE stranger = 1'))?.count ?? 0;
  }

  /** Whose messages are kept apart. */
  async strangers(): Promise<PeerId[]> {
    return (await this.#database.all<{ peer: string }>('SELECT DISTINCT peer FROM messages WHERE stranger = 1')).map(({ peer }) => peer);
  }

  async adopt(peer: PeerId): Promise<void> {
    await this.#database.run('UPDATE messages SET stranger = 0 WHERE peer = ? AND stranger > 0', peer);
  }

  /** Resolves with the number of messages that waited. */
  async disown(peer: PeerId): Promise<number> {
    const [{ changes }] = await Promise.all([
      this.#database.run("DELETE FROM messages WHERE peer = ? AND state = 'queued'", peer),
      this.#database.run('UPDATE messages SET stranger = 2 WHERE peer = ? AND stranger = 0', peer),
    ]);
    return changes;
  }

  /** What is still queued stays. */
  async trim(peer: PeerId): Promise<void> {
    await this.#database.run(
      `DELETE FROM messages WHERE peer = ?1 AND state = 'delivered'
       AND seq <= (SELECT seq FROM messages WHERE peer = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)`, peer, this.#limits.perPeer,
    );
  }
}
