/**
 * Who is registered: rooms, capacity, epochs and leases. Pure: no sockets, no clock. Each id is registered at most once,
 * by the client that registered it last; a client has at most one registration.
 */
import type { Address, PeerId, RosterDelta, RosterEntry, RosterSnapshot } from '@peerd/protocol';
import type { ClientId } from '../client-id.ts';
import { candidatesOf } from './entry.ts';
import { Leases } from './leases.ts';
import { deltaWithout, Room } from './room.ts';

/** Milliseconds: `monotonic` for leases, `wall` (since 1970) for epochs. */
export interface Instant {
  readonly monotonic: number;
  readonly wall: number;
}

export interface Application {
  readonly client: ClientId;
  readonly id: PeerId;
  readonly name: string;
  readonly room: string;
  readonly addresses: readonly Address[];
  readonly observedHost: string;
}

export type Decision =
  | { readonly kind: 'full' }
  | {
      readonly kind: 'registered';
      readonly epoch: number;
      /** `update`: the same connection registered again; `superseding`: another one had the id before. */
      readonly how: 'new' | 'superseding' | 'update';
      /** The client that had this id until now. Its connection is to be closed. */
      readonly superseded?: ClientId;
      /** The client was in another room before. */
      readonly moved: boolean;
    };

export interface Registration {
  readonly client: ClientId;
  readonly room: string;
  readonly entry: RosterEntry;
}

/** What one room has to be told, for each member. */
export interface RoomNews {
  readonly members: number;
  readonly deliveries: readonly { readonly client: ClientId; readonly delta: RosterDelta }[];
}

interface Seat {
  readonly room: Room;
  readonly id: PeerId;
}

export class Registry {
  readonly #maxPeers: number;
  readonly #leases: Leases;
  readonly #rooms = new Map<string, Room>();
  /** Rooms that may have something to publish. */
  readonly #changed = new Set<Room>();
  readonly #seats = new Map<ClientId, Seat>();
  readonly #clients = new Map<PeerId, ClientId>();
  #lastEpoch = 0;

  constructor(options: { readonly maxPeers: number; readonly leaseMs: number }) {
    this.#maxPeers = options.maxPeers;
    this.#leases = new Leases(options.leaseMs);
  }

  get peers(): number {
    return this.#seats.size;
  }

  get rooms(): number {
    return this.#rooms.size;
  }

  /** Puts a client on the roster of a room, or moves or updates it there. The newest registration of an id wins. */
  register(application: Application, now: Instant): Decision {
    const { client, id } = application;
    const holder = this.#clients.get(id);
    if (holder === undefined && this.#seats.size >= this.#maxPeers) return { kind: 'full' };
    const before = holder === undefined ? undefined : this.#seats.get(holder);
    const moved = holder === client && before?.room.name !== application.room;
    // In the same room the others see one change: leaving and coming collapse before the next `publish`.
    if (holder !== undefined && (holder !== client || moved)) this.#unseat(holder);
    const room = this.#room(application.room);
    // Grows over a restart too, as long as the machine's clock does.
    this.#lastEpoch = Math.max(this.#lastEpoch + 1, now.wall);
    const entry = { id, name: application.name, addresses: candidatesOf(application.addresses, application.observedHost), epoch: this.#lastEpoch };
    room.put(client, entry);
    this.#changed.add(room);
    this.#seats.set(client, { room, id });
    this.#clients.set(id, client);
    this.#leases.renew(client, now.monotonic);
    const superseded = holder !== undefined && holder !== client ? { superseded: holder } : {};
    const how = holder === undefined ? 'new' : holder === client ? 'update' : 'superseding';
    return { kind: 'registered', epoch: entry.epoch, how, moved, ...superseded };
  }

  /** Takes a client off the roster. `false` if it is not registered (any more). */
  leave(client: ClientId): boolean {
    if (!this.#seats.has(client)) return false;
    this.#unseat(client);
    return true;
  }

  /** A sign of life. */
  heard(client: ClientId, now: number): void {
    if (this.#seats.has(client)) this.#leases.renew(client, now);
  }

  /** Removes everybody who was silent for longer than the lease. */
  expire(now: number): ClientId[] {
    const lapsed = this.#leases.lapsed(now);
    for (const client of lapsed) this.#unseat(client);
    return lapsed;
  }

  get nextExpiry(): number | undefined {
    return this.#leases.nextLapse;
  }

  heardAt(client: ClientId): number | undefined {
    return this.#leases.heardAt(client);
  }

  /** The roster of the client's room as all its members know it. What is newer follows with the next `publish`. */
  snapshot(client: ClientId): readonly RosterSnapshot[] {
    const seat = this.#seats.get(client);
    return seat?.room.snapshot(seat.id) ?? [];
  }

  get dirty(): boolean {
    return this.#changed.values().some((room) => room.dirty);
  }

  /** Publishes what changed since the last call, one delta of each room. More than that stays for the next call. */
  publish(): RoomNews[] {
    const news: RoomNews[] = [];
    for (const room of this.#changed) {
      const delta = room.flush();
      if (!room.dirty || room.size === 0) this.#changed.delete(room);
      if (!delta || room.size === 0) continue;
      const names = new Set([...delta.removes, ...delta.upserts.map(({ id }) => id)]);
      const deliveries = room.members().map(({ client, entry: { id } }) => ({ client, delta: names.has(id) ? deltaWithout(delta, id) : delta }));
      news.push({ members: room.size, deliveries: deliveries.toArray() });
    }
    return news;
  }

  registration(client: ClientId): Registration | undefined {
    const seat = this.#seats.get(client);
    const member = seat?.room.member(seat.id);
    return seat && member ? { client, room: seat.room.name, entry: member.entry } : undefined;
  }

  /** The registration of `id` if it is in the same room as `client`. */
  neighbour(client: ClientId, id: PeerId): Registration | undefined {
    const room = this.#seats.get(client)?.room;
    const member = room?.member(id);
    return room && member ? { client: member.client, room: room.name, entry: member.entry } : undefined;
  }

  find(id: PeerId): Registration | undefined {
    const client = this.#clients.get(id);
    return client === undefined ? undefined : this.registration(client);
  }

  *all(): Generator<Registration, void, void> {
    for (const room of this.#rooms.values()) for (const { client, entry } of room.members()) yield { client, room: room.name, entry };
  }

  #unseat(client: ClientId): void {
    const seat = this.#seats.get(client);
    if (!seat) return;
    this.#seats.delete(client);
    this.#leases.drop(client);
    this.#clients.delete(seat.id);
    seat.room.remove(seat.id);
    this.#changed.add(seat.room);
    if (seat.room.size === 0) this.#rooms.delete(seat.room.name);
  }

  #room(name: string): Room {
    let room = this.#rooms.get(name);
    if (!room) {
      room = new Room(name);
      this.#rooms.set(name, room);
    }
    return room;
  }
}
