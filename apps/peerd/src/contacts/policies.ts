/** The policies of peers: a table, and a copy of it in memory from which everything is answered. */
import type { PeerId, PolicyKind, PolicyView, TransferId, Trust } from '@peerd/protocol';
import { escapeText } from '@peerd/protocol';
import type { Database, Statement } from '../database/ports.ts';
import type { Sighting } from './resolve.ts';
import { type Grant, judge, type Offered, type Policy, standing, type Verdict } from './grant.ts';

export interface PoliciesOptions {
  readonly database: Database;
  /** What happens to offers of peers without a policy of their own. */
  readonly fallback: 'ask' | 'auto';
  readonly now: () => number;
}

export interface Policies {
  isBlocked(peer: PeerId): boolean;
  /** Replaces the policy of before with its grant. @param peer its name raw */
  set(peer: Sighting, kind: PolicyKind, grant: Grant | undefined): Promise<void>;
  /** `false`: it had none. */
  clear(peer: PeerId): Promise<boolean>;
  /** Who has a policy of its own, so that a person can still name it when it is away. */
  peers(): readonly Sighting[];
  view(peer: PeerId, trust: Trust): PolicyView;
  judge(peer: PeerId, trust: Trust, offer: Offered): Verdict;
  /** Bytes of the peer's grant, before a transfer is accepted under it. Once per transfer; nothing where no grant bounds them. */
  reserve(peer: PeerId, transfer: TransferId, bytes: number): Promise<void>;
  /** The transfer is over: what it delivered is used, the rest is given back. */
  settle(peer: PeerId, transfer: TransferId, delivered: number): Promise<void>;
  /** Transfers that hold reservations. */
  reservations(): { peer: PeerId; transfer: TransferId }[];
}

interface Stored {
  readonly name: string;
  readonly kind: PolicyKind;
  readonly grant: Grant | undefined;
  readonly since: number;
  used: number;
  readonly reservations: Map<TransferId, number>;
}

interface PolicyRow {
  readonly peer: PeerId;
  readonly name: string;
  readonly kind: PolicyKind;
  readonly destination: string | null;
  readonly max_bytes: number | null;
  readonly pattern: string | null;
  readonly until: number | null;
  readonly used_bytes: number;
  readonly since: number;
}

export const loadPolicies = async (options: PoliciesOptions): Promise<Policies> => {
  const rows = await options.database.all<PolicyRow>('SELECT peer, name, kind, destination, max_bytes, pattern, until, used_bytes, since FROM policies');
  const byPeer = new Map(rows.map((row) => [row.peer, storedOf(row)]));
  const reserved = await options.database.all<{ peer: PeerId; transfer: TransferId; bytes: number }>('SELECT peer, transfer, bytes FROM policy_reservations');
  for (const { peer, transfer, bytes } of reserved) byPeer.get(peer)?.reservations.set(transfer, bytes);
  return new StoredPolicies(options, byPeer);
};

const storedOf = (row: PolicyRow): Stored => {
  const grant: Grant = { into: row.destination ?? undefined, maxBytes: row.max_bytes ?? undefined, match: row.pattern ?? undefined, until: row.until ?? undefined };
  return { name: row.name, kind: row.kind, grant: hasScope(grant) ? grant : undefined, since: row.since, used: row.used_bytes, reservations: new Map() };
};

export const hasScope = (grant: Grant): boolean => Object.values(grant).some((bound) => bound !== undefined);

class StoredPolicies implements Policies {
  readonly #options: PoliciesOptions;
  readonly #byPeer: Map<PeerId, Stored>;

  constructor(options: PoliciesOptions, byPeer: Map<PeerId, Stored>) {
    this.#options = options;
    this.#byPeer = byPeer;
  }

  isBlocked(peer: PeerId): boolean {
    return this.#byPeer.get(peer)?.kind === 'block';
  }

  async set({ id: peer, name }: Sighting, kind: PolicyKind, grant: Grant | undefined): Promise<void> {
    const stored: Stored = { name, kind, grant, since: this.#options.now(), used: 0, reservations: new Map() };
    const before = this.#byPeer.get(peer);
    this.#byPeer.set(peer, stored);
    try {
      await this.#options.database.batch([
        removal(peer),
        {
          sql: 'INSERT INTO policies (peer, name, kind, destination, max_bytes, pattern, until, used_bytes, since) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)',
          params: [peer, name, kind, grant?.into ?? null, grant?.maxBytes ?? null, grant?.match ?? null, grant?.until ?? null, stored.since],
        },
      ]);
    } catch (error) {
      // Not a policy that a restart would forget.
      if (this.#byPeer.get(peer) === stored) this.#restore(peer, before);
      throw error;
    }
  }

  async clear(peer: PeerId): Promise<boolean> {
    const before = this.#byPeer.get(peer);
    if (!before) return false;
    this.#byPeer.delete(peer);
    try {
      await this.#options.database.batch([removal(peer)]);
      return true;
    } catch (error) {
      if (!this.#byPeer.has(peer)) this.#restore(peer, before);
      throw error;
    }
  }

  peers(): readonly Sighting[] {
    return [...this.#byPeer].map(([id, { name }]) => ({ id, name }));
  }

  view(peer: PeerId, trust: Trust): PolicyView {
    const stored = this.#byPeer.get(peer);
    const { kind, why } = standing(this.#circumstances(peer, trust));
    const { grant } = stored ?? {};
    return {
      kind,
      own: stored !== undefined,
      ...(grant && stored
        ? {
            grant: {
              ...(grant.into === undefined ? {} : { into: escapeText(grant.into) }),
              ...(grant.maxBytes === undefined ? {} : { maxBytes: grant.maxBytes }),
              ...(grant.match === undefined ? {} : { match: escapeText(grant.match) }),
              ...(grant.until === undefined ? {} : { until: grant.until }),
              usedBytes: stored.used + reservedOf(stored),
            },
          }
        : {}),
      ...(why === undefined ? {} : { why }),
    };
  }

  judge(peer: PeerId, trust: Trust, offer: Offered): Verdict {
    return judge(this.#circumstances(peer, trust), offer);
  }

  async reserve(peer: PeerId, transfer: TransferId, bytes: number): Promise<void> {
    const stored = this.#byPeer.get(peer);
    if (!stored?.grant) return;
    stored.reservations.set(transfer, bytes);
    try {
      await this.#options.database.run('INSERT INTO policy_reservations (peer, transfer, bytes) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET bytes = excluded.bytes', peer, transfer, bytes);
    } catch (error) {
      stored.reservations.delete(transfer);
      throw error;
    }
  }

  async settle(peer: PeerId, transfer: TransferId, delivered: number): Promise<void> {
    const stored = this.#byPeer.get(peer);
    if (!stored?.reservations.delete(transfer)) return;
    stored.used += delivered;
    // Together, or a crash between them would lose the bytes or count them twice.
    await this.#options.database.batch([
      {
        sql: 'UPDATE policies SET used_bytes = used_bytes + ?1 WHERE peer = ?2 AND EXISTS (SELECT 1 FROM policy_reservations WHERE peer = ?2 AND transfer = ?3)',
        params: [delivered, peer, transfer],
      },
      { sql: 'DELETE FROM policy_reservations WHERE peer = ? AND transfer = ?', params: [peer, transfer] },
    ]);
  }

  reservations(): { peer: PeerId; transfer: TransferId }[] {
    return [...this.#byPeer].flatMap(([peer, { reservations }]) => [...reservations.keys()].map((transfer) => ({ peer, transfer })));
  }

  #circumstances(peer: PeerId, trust: Trust): Parameters<typeof standing>[0] {
    const stored = this.#byPeer.get(peer);
    const own: Policy | undefined = stored && { kind: stored.kind, grant: stored.grant, used: stored.used, reserved: reservedOf(stored), since: stored.since };
    return { own, fallback: this.#options.fallback, trust, now: this.#options.now() };
  }

  #restore(peer: PeerId, before: Stored | undefined): void {
    if (before) this.#byPeer.set(peer, before);
    else this.#byPeer.delete(peer);
  }
}

/** Its reservations go with it. */
const removal = (peer: PeerId): Statement => ({ sql: 'DELETE FROM policies WHERE peer = ?', params: [peer] });

const reservedOf = ({ reservations }: Stored): number => reservations.values().reduce((sum, bytes) => sum + bytes, 0);
