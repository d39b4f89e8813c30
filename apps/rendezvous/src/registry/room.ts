/**
 * One room: what its members were told (`published`) and what changed since (`pending`).
 *
 * 1. A change goes into `pending`; changes that cancel each other out vanish.
 * 2. `flush` makes one delta of everything pending (several if it is large) and publishes it.
 * 3. A snapshot shows what is published. So everybody who got a snapshot or all deltas holds the same version, and one
 *    delta serves the whole room.
 *
 * A member never sees itself: its own copy of a page or a delta leaves it out.
 */
import type { PeerId, RosterDelta, RosterEntry, RosterSnapshot } from '@peerd/protocol';
import type { ClientId } from '../client-id.ts';
import { type Change, changeBytes, entryBytes } from './entry.ts';
import { paged } from './paging.ts';

export class Room {
  readonly name: string;
  readonly #members = new Map<PeerId, { readonly client: ClientId; readonly entry: RosterEntry }>();
  readonly #published = new Map<PeerId, RosterEntry>();
  readonly #pending = new Map<PeerId, RosterEntry | undefined>();
  #version = 0;
  #pages: readonly RosterSnapshot[] | undefined;

  constructor(name: string) {
    this.name = name;
  }

  get size(): number {
    return this.#members.size;
  }

  get version(): number {
    return this.#version;
  }

  get dirty(): boolean {
    return this.#pending.size > 0;
  }

  /** Who is here now, published or not. */
  members(): IteratorObject<{ readonly client: ClientId; readonly entry: RosterEntry }> {
    return this.#members.values();
  }

  member(id: PeerId): { readonly client: ClientId; readonly entry: RosterEntry } | undefined {
    return this.#members.get(id);
  }

  put(client: ClientId, entry: RosterEntry): void {
    this.#members.set(entry.id, { client, entry });
    this.#pending.set(entry.id, entry);
  }

  remove(id: PeerId): void {
    this.#members.delete(id);
    if (this.#published.has(id)) this.#pending.set(id, undefined);
    else this.#pending.delete(id);
  }

  /** Publishes what is pending. In order. */
  flush(): readonly RosterDelta[] {
    if (!this.dirty) return [];
    const changes = [...this.#pending].map(([id, entry]): Change => ({ id, entry }));
    const deltas = paged(changes, changeBytes).map((page): RosterDelta => {
      const upserts: RosterEntry[] = [];
      const removes: PeerId[] = [];
      for (const { id, entry } of page) {
        if (entry) upserts.push(entry);
        else removes.push(id);
      }
      const from = this.#version;
      this.#version += 1;
      return { from, to: this.#version, upserts, removes };
    });
    for (const [id, entry] of this.#pending) {
      if (entry) this.#published.set(id, entry);
      else this.#published.delete(id);
    }
    this.#pending.clear();
    this.#pages = undefined;
    return deltas;
  }

  /** The published roster without the reader. Pages that don't hold the reader are the same objects for everybody. */
  snapshot(reader: PeerId): readonly RosterSnapshot[] {
    this.#pages ??= paged(this.#published.values(), entryBytes).map(
      (peers, index, pages): RosterSnapshot => ({ version: this.#version, peers, last: index === pages.length - 1 }),
    );
    if (!this.#published.has(reader)) return this.#pages;
    return this.#pages.map((page) => (page.peers.some(({ id }) => id === reader) ? { ...page, peers: page.peers.filter(({ id }) => id !== reader) } : page));
  }
}

/** The delta as `reader`, who is named in it, may see it. */
export const deltaWithout = (delta: RosterDelta, reader: PeerId): RosterDelta => ({
  ...delta,
  upserts: delta.upserts.filter(({ id }) => id !== reader),
  removes: delta.removes.filter((id) => id !== reader),
});
