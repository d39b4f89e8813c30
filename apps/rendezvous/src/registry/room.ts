/**
 * One room: what its members were told (`published`) and what changed since (`pending`).
 *
 * 1. A change goes into `pending`; changes that cancel each other out vanish.
 * 2. `flush` makes one delta of what is pending and publishes it. What does not fit waits for the next, so that a crowd that
 *    comes and goes meanwhile is not told at all.
 * 3. A snapshot shows what is published. So everybody who got a snapshot or all deltas holds the same version, and one
 *    delta serves the whole room.
 *
 * A member never sees itself: its own copy of a page or a delta leaves it out.
 */
import { KiB, type PeerId, type RosterDelta, type RosterEntry, type RosterSnapshot } from '@peerd/protocol';
import type { ClientId } from '../client-id.ts';
import { type Change, changeBytes, entryBytes } from './entry.ts';
import { paged } from './paging.ts';

/** About 200 changes. Everybody in the room gets each delta, whoever makes them: long entries must not make it much more. */
const deltaMaxBytes: number = 64 * KiB;

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

  /** Publishes what is pending, as much as one delta holds, the oldest change first. `undefined`: nothing is. */
  flush(): RosterDelta | undefined {
    if (!this.dirty) return undefined;
    const changes = this.#pending.entries().map(([id, entry]): Change => ({ id, entry }));
    const [page] = paged(changes, changeBytes, deltaMaxBytes);
    const upserts: RosterEntry[] = [];
    const removes: PeerId[] = [];
    for (const { id, entry } of page) {
      this.#pending.delete(id);
      if (entry) {
        upserts.push(entry);
        this.#published.set(id, entry);
      } else {
        removes.push(id);
        this.#published.delete(id);
      }
    }
    this.#pages = undefined;
    const from = this.#version;
    this.#version += 1;
    return { from, to: this.#version, upserts, removes };
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
