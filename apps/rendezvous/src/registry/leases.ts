/** Who was heard when. Pure: the time, in milliseconds, comes with each call and doesn't run backwards. */
import type { ClientId } from '../client-id.ts';

export class Leases {
  readonly #leaseMs: number;
  /** In the order of the last sign of life, so that the first one lapses first. */
  readonly #heardAt = new Map<ClientId, number>();

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  renew(client: ClientId, now: number): void {
    this.#heardAt.delete(client);
    this.#heardAt.set(client, now);
  }

  drop(client: ClientId): void {
    this.#heardAt.delete(client);
  }

  heardAt(client: ClientId): number | undefined {
    return this.#heardAt.get(client);
  }

  /** Clients whose lease has lapsed; they stay until they are dropped. */
  lapsed(now: number): ClientId[] {
    const clients: ClientId[] = [];
    for (const [client, heardAt] of this.#heardAt) {
      if (heardAt + this.#leaseMs > now) break;
      clients.push(client);
    }
    return clients;
  }

  /** When the next lease lapses if nothing is heard. */
  get nextLapse(): number | undefined {
    const first = this.#heardAt.values().next();
    return first.done === true ? undefined : first.value + this.#leaseMs;
  }
}
