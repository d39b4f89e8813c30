/**
 * Registrations over connections: decides with the registry, tells the client, and publishes what changed to the others
 * once per window.
 */
import { timingSafeEqual } from 'node:crypto';
import {
  encodeMessage, leaseMs, PeerdError, type Register, registered, rendezvousHeartbeatMs, roomKeyingBytes, roomKeyingLabel, roomProof,
} from '@peerd/protocol';
import type { ClientId } from '../client-id.ts';
import { Alarm, type Clock } from '../clock.ts';
import { coalesceMs, fullRetryMs } from '../limits.ts';
import type { Metrics } from '../metrics.ts';
import type { Registry } from '../registry/registry.ts';
import type { Client } from './client.ts';
import { RosterFrames } from './roster-frames.ts';

export type DepartureReason = 'disconnected' | 'unregistered' | 'superseded' | 'removed' | 'lease_expired' | 'slow_consumer' | 'refused_frame' | 'moved';

export interface RosterDeskParts {
  readonly registry: Registry;
  readonly clients: ReadonlyMap<ClientId, Client>;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly roomSecret: Uint8Array | undefined;
  /** A client is no longer reachable in the room where it was. */
  readonly onDeparture: (client: ClientId) => void;
}

export class RosterDesk {
  readonly #parts: RosterDeskParts;
  readonly #leases: Alarm;
  readonly #frames = new RosterFrames();
  #cancelPublish: (() => void) | undefined;

  constructor(parts: RosterDeskParts) {
    this.#parts = parts;
    const { registry } = parts;
    this.#leases = new Alarm(parts.clock, () => registry.nextExpiry, (now) => this.#expire(now));
  }

  /** @throws PeerdError `room_secret_wrong`, `rendezvous_full` (`details.retryAfterMs`) */
  register(client: Client, body: Register): void {
    const { registry, clock, metrics } = this.#parts;
    this.#checkProof(client, body);
    const { id, peerId, name, observedHost } = client;
    const now = { monotonic: clock.monotonic(), wall: clock.wall() };
    const decision = registry.register({ client: id, id: peerId, name, room: body.room, addresses: body.addresses, observedHost }, now);
    if (decision.kind === 'full') {
      throw new PeerdError('rendezvous_full', `this rendezvous holds ${registry.peers} peers, more than that it may not`, {
        hint: 'Ask its operator to raise --max-peers, or use another rendezvous.',
        details: { retryAfterMs: fullRetryMs() },
      });
    }
    metrics.registrations.inc({ kind: decision.how });
    if (decision.superseded !== undefined) this.#supersede(decision.superseded);
    if (decision.moved) this.#departed(id, 'moved');
    client.outbox.send(encodeMessage(registered, { epoch: decision.epoch, observedHost, leaseMs, heartbeatMs: rendezvousHeartbeatMs, time: now.wall }));
    this.#sendSnapshot(client);
    this.#changed();
    this.#leases.set();
  }

  /** A client that asks again before the last snapshot has left needs no other: the deltas follow it. */
  sendSnapshot(client: Client): void {
    if (!client.outbox.sendingSnapshot) this.#sendSnapshot(client);
  }

  heard(client: Client): void {
    this.#parts.registry.heard(client.id, this.#parts.clock.monotonic());
  }

  /** Takes the client off the roster, if it is on it. */
  leave(client: Client, why: DepartureReason): boolean {
    if (!this.#parts.registry.leave(client.id)) return false;
    this.#departed(client.id, why);
    this.#changed();
    return true;
  }

  /** No news and no leases from now on. */
  stop(): void {
    this.#leases.stop();
    this.#cancelPublish?.();
    this.#cancelPublish = () => {};
  }

  #checkProof(client: Client, body: Register): void {
    const { roomSecret } = this.#parts;
    if (!roomSecret) return;
    const expected = roomProof(roomSecret, body.room, client.exportKeyingMaterial(roomKeyingBytes, roomKeyingLabel));
    if (body.roomProof && timingSafeEqual(expected, body.roomProof)) return;
    throw new PeerdError('room_secret_wrong', body.roomProof ? 'the secret of the room is another one' : 'this rendezvous asks for the secret of the room', {
      hint: 'Give --room-secret-file with the file that the operator of the rendezvous uses.',
    });
  }

  #supersede(holder: ClientId): void {
    this.#departed(holder, 'superseded');
    void this.#parts.clients.get(holder)?.close(new PeerdError('superseded', 'this peer registered anew on another connection'));
  }

  #expire(now: number): void {
    for (const id of this.#parts.registry.expire(now)) {
      this.#departed(id, 'lease_expired');
      void this.#parts.clients.get(id)?.close(new PeerdError('lease_expired', `nothing was heard for ${leaseMs / 1_000} s`));
    }
    this.#changed();
  }

  #departed(client: ClientId, reason: DepartureReason): void {
    this.#parts.metrics.departures.inc({ reason });
    this.#parts.onDeparture(client);
  }

  #sendSnapshot(client: Client): void {
    const pages = this.#parts.registry.snapshot(client.id);
    client.outbox.sendSnapshot(pages.map((page) => this.#frames.page(page)));
    this.#parts.metrics.snapshots.inc();
  }

  #changed(): void {
    if (this.#cancelPublish || !this.#parts.registry.dirty) return;
    this.#cancelPublish = this.#parts.clock.schedule(coalesceMs(this.#parts.registry.peers), () => {
      this.#cancelPublish = undefined;
      this.#publish();
      // What did not fit travels after the next one.
      this.#changed();
    });
  }

  #publish(): void {
    const { registry, clients, metrics } = this.#parts;
    for (const news of registry.publish()) {
      metrics.fanOut.observe(news.members);
      for (const { client, delta } of news.deliveries) {
        const outbox = clients.get(client)?.outbox;
        if (!outbox) continue;
        outbox.send(this.#frames.delta(delta));
        metrics.deltas.inc();
      }
    }
  }
}
