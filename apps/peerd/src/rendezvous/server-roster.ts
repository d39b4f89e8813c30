import type { PeerId, RosterEntry } from '@peerd/protocol';

/** A peer as one rendezvous lists it. */
export interface Listed {
  readonly entry: RosterEntry;
  /** Grows with each thing heard from any rendezvous: the higher, the fresher. */
  readonly heard: number;
}

/** Peers of one room that are remembered. More of them, as of a rendezvous that invents them, are left out. */
const maxPeers = 10_000;

/** What one rendezvous says about the room, without ourselves. */
export class ServerRoster {
  readonly #own: PeerId;
  readonly #clock: () => number;
  #peers = new Map<PeerId, Listed>();
  #pages = new Map<PeerId, Listed>();

  /** `clock`: a number that grows with each call, common to all rendezvous. */
  constructor(own: PeerId, clock: () => number) {
    this.#own = own;
    this.#clock = clock;
  }

  get peers(): ReadonlyMap<PeerId, Listed> {
    return this.#peers;
  }

  begin(): void {
    this.#pages = new Map();
  }

  page(entries: readonly RosterEntry[]): void {
    this.#put(this.#pages, entries);
  }

  commit(): void {
    this.#peers = this.#pages;
    this.#pages = new Map();
  }

  apply(upserts: readonly RosterEntry[], removes: readonly PeerId[]): void {
    for (const id of removes) this.#peers.delete(id);
    this.#put(this.#peers, upserts);
  }

  clear(): void {
    this.#peers = new Map();
    this.#pages = new Map();
  }

  /** Of two registrations of one id the higher epoch wins. */
  #put(peers: Map<PeerId, Listed>, entries: readonly RosterEntry[]): void {
    for (const entry of entries) {
      if (entry.id === this.#own || (peers.get(entry.id)?.entry.epoch ?? 0) > entry.epoch) continue;
      if (peers.size >= maxPeers && !peers.has(entry.id)) continue;
      peers.set(entry.id, { entry, heard: this.#clock() });
    }
  }
}
