/** One connected client after `hello`. */
import type { Hello, PeerdError, PeerId } from '@peerd/protocol';
import type { Channel } from '@peerd/service';
import type { ClientId } from '../client-id.ts';
import type { Clock } from '../clock.ts';
import { Outbox, type OutboxLimits } from './outbox.ts';

export class Client {
  readonly id: ClientId;
  readonly peerId: PeerId;
  /** Raw: escape it before it is shown. */
  readonly name: string;
  /** Raw too. */
  readonly agent: string;
  readonly observedHost: string;
  readonly outbox: Outbox;
  readonly #channel: Channel;

  constructor(id: ClientId, channel: Channel, hello: Hello, limits: OutboxLimits, clock: Clock, onSlow: (client: Client, reason: PeerdError) => void) {
    this.id = id;
    this.#channel = channel;
    this.peerId = channel.peerId;
    this.name = hello.name;
    this.agent = hello.agent;
    this.observedHost = channel.remote.host;
    this.outbox = new Outbox(channel, limits, clock, (reason) => onSlow(this, reason));
  }

  get ended(): boolean {
    return this.#channel.signal.aborted;
  }

  exportKeyingMaterial(length: number, label: string): Buffer {
    return this.#channel.exportKeyingMaterial(length, label);
  }

  /** Tells the reason and ends the connection; resolves when it is closed. The first reason wins. */
  async close(reason: PeerdError, retryAfterMs?: number): Promise<void> {
    await this.#channel.close(reason, retryAfterMs);
  }
}
