/** Introductions that a person has to decide about: a table, and a copy of it in memory. */
import { type PeerId, PeerdError, shortPeerId } from '@peerd/protocol';
import { newUlid } from '@peerd/service';
import type { Database } from '../database/ports.ts';

/** Waiting ones of all peers. More are refused: whoever makes new ids at will must not push out the others. */
const maxWaiting = 64;
/** Declined ones that are remembered; over that the oldest are forgotten. */
const maxDeclined = 1_000;
/** Undecided ones lapse, and declined peers may ask again. */
const keptMs = 7 * 86_400_000;

export interface IntroductionRequest {
  readonly id: string;
  readonly peer: PeerId;
  /** Raw. */
  readonly name: string;
  readonly state: 'waiting' | 'declined';
  readonly receivedAt: number;
}

export interface RequestsOptions {
  readonly database: Database;
  readonly now: () => number;
}

interface Row {
  readonly id: string;
  readonly peer: PeerId;
  readonly name: string;
  readonly state: 'waiting' | 'declined';
  readonly received_at: number;
}

export const loadIntroductionRequests = async ({ database, now }: RequestsOptions): Promise<IntroductionRequests> => {
  await database.run('DELETE FROM introduction_requests WHERE received_at <= ?', now() - keptMs);
  const rows = await database.all<Row>('SELECT id, peer, name, state, received_at FROM introduction_requests ORDER BY received_at');
  return new IntroductionRequests({ database, now }, rows.map(({ received_at: receivedAt, ...row }) => ({ ...row, receivedAt })));
};

export class IntroductionRequests {
  readonly #options: RequestsOptions;
  /** In the order in which they came. */
  readonly #byPeer: Map<PeerId, IntroductionRequest>;

  constructor(options: RequestsOptions, requests: readonly IntroductionRequest[]) {
    this.#options = options;
    this.#byPeer = new Map(requests.map((request) => [request.peer, request]));
  }

  /** Oldest first. */
  waiting(): IntroductionRequest[] {
    return this.#live().filter(({ state }) => state === 'waiting');
  }

  /** `added`: it was not there before. `full` and `declined` are refused. */
  async receive(from: { id: PeerId; name: string }): Promise<'added' | 'waiting' | 'declined' | 'full'> {
    await this.#expire();
    const known = this.#byPeer.get(from.id);
    if (known) return known.state;
    if (this.waiting().length >= maxWaiting) return 'full';
    const receivedAt = this.#options.now();
    await this.#put({ id: newUlid(receivedAt), peer: from.id, name: from.name, state: 'waiting', receivedAt });
    return 'added';
  }

  get(peer: PeerId): IntroductionRequest | undefined {
    return this.#live().find((request) => request.peer === peer);
  }

  /** Remembered as a refusal, so that the peer does not come back at its next attempt. */
  async decline(request: IntroductionRequest): Promise<void> {
    const declined = this.#live().filter(({ state }) => state === 'declined');
    for (const { peer } of declined.slice(0, Math.max(0, declined.length + 1 - maxDeclined))) await this.forget(peer);
    await this.#put({ ...request, state: 'declined', receivedAt: this.#options.now() });
  }

  async forget(peer: PeerId): Promise<void> {
    if (!this.#byPeer.delete(peer)) return;
    await this.#options.database.run('DELETE FROM introduction_requests WHERE peer = ?', peer);
  }

  #live(): IntroductionRequest[] {
    const since = this.#options.now() - keptMs;
    return [...this.#byPeer.values()].filter(({ receivedAt }) => receivedAt > since);
  }

  async #expire(): Promise<void> {
    const live = new Set(this.#live());
    for (const request of this.#byPeer.values()) if (!live.has(request)) await this.forget(request.peer);
  }

  async #put(request: IntroductionRequest): Promise<void> {
    const before = this.#byPeer.get(request.peer);
    this.#byPeer.set(request.peer, request);
    try {
      await this.#options.database.run(
        `INSERT INTO introduction_requests (id, peer, name, state, received_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (peer) DO UPDATE SET id = excluded.id, name = excluded.name, state = excluded.state, received_at = excluded.received_at`,
        request.id, request.peer, request.name, request.state, request.receivedAt,
      );
    } catch (error) {
      if (this.#byPeer.get(request.peer) === request) {
        if (before) this.#byPeer.set(request.peer, before);
        else this.#byPeer.delete(request.peer);
      }
      throw error;
    }
  }
}

/** The ones that a beginning of an id names. */
export const withPrefix = (requests: readonly IntroductionRequest[], typed: string): IntroductionRequest[] => {
  const prefix = typed.toLowerCase();
  return requests.filter(({ id }) => id.startsWith(prefix));
};

export const ambiguousId = (typed: string, peers: readonly PeerId[]): PeerdError =>
  new PeerdError('ambiguous_id', `${typed} fits ${peers.length} introductions and offers, of ${peers.slice(0, 3).map(shortPeerId).join(', ')}${peers.length > 3 ? ', …' : ''}`, { hint: 'Type more of the id.' });
