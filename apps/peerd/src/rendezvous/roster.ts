import type { Address, PeerId } from '@peerd/protocol';
import { formatAddress } from '@peerd/protocol';
import { mayDial } from '../net/address-scope.ts';
import type { Roster, RosterPeer } from './ports.ts';
import type { Listed } from './server-roster.ts';

/** One rendezvous as a source of the roster. */
export interface RosterSource {
  readonly peers: ReadonlyMap<PeerId, Listed>;
  /** It was reached over loopback or link-local. */
  readonly local: boolean;
}

/**
 * The peers of our room at all rendezvous. Where several list one, the freshest gives the name, and the addresses of all
 * count, those of the freshest first. Addresses that must not be dialled are left out.
 */
export class UnionRoster implements Roster {
  readonly #room: string;
  readonly #sources: () => readonly RosterSource[];
  readonly #listeners = new Set<() => void>();
  #cached: readonly RosterPeer[] | undefined;
  #notifying = false;

  constructor(room: string, sources: () => readonly RosterSource[]) {
    this.#room = room;
    this.#sources = sources;
  }

  get(id: PeerId): RosterPeer | undefined {
    const listings = this.#sources().flatMap(({ peers, local }) => {
      const listed = peers.get(id);
      return listed ? [{ ...listed, local }] : [];
    });
    listings.sort((a, b) => b.heard - a.heard);
    const [freshest] = listings;
    if (!freshest) return undefined;
    const addresses = new Map<string, Address>();
    for (const { entry, local } of listings) {
      for (const address of entry.addresses) {
        const key = formatAddress(address);
        if (!addresses.has(key) && mayDial(address.host, local)) addresses.set(key, address);
      }
    }
    return { id, name: freshest.entry.name, room: this.#room, addresses: [...addresses.values()], local: listings.some(({ local }) => local) };
  }

  all(): readonly RosterPeer[] {
    const ids = (): Set<PeerId> => new Set(this.#sources().flatMap(({ peers }) => [...peers.keys()]));
    this.#cached ??= [...ids()].flatMap((id) => this.get(id) ?? []);
    return this.#cached;
  }

  onChange(listener: () => void): () => void {
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Something changed. Listeners hear of all changes of one turn once. */
  changed(): void {
    this.#cached = undefined;
    if (this.#notifying) return;
    this.#notifying = true;
    setImmediate(() => {
      this.#notifying = false;
      for (const listener of this.#listeners) listener();
    });
  }
}
