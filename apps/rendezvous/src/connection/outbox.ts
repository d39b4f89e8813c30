/**
 * What waits to be sent to one client. Bounded: a client that lets more than `maxBytes` pile up, or takes nothing for
 * `stallMs`, is slow and has to come back for a snapshot.
 *
 * The pages of one snapshot don't count: they are shared between clients, and handed to the socket only as fast as it
 * drains. Those of another one that comes while it waits do, or a client that registers again and again would pile them up.
 */
import type { Channel } from '@peerd/service';
import { PeerdError } from '@peerd/protocol';
import type { Clock } from '../clock.ts';

export interface OutboxLimits {
  readonly maxBytes: number;
  readonly stallMs: number;
}

interface Item {
  readonly frame: Uint8Array;
  readonly page: boolean;
}

export class Outbox {
  readonly #channel: Pick<Channel, 'send' | 'drained' | 'queuedBytes' | 'signal'>;
  readonly #limits: OutboxLimits;
  readonly #clock: Pick<Clock, 'schedule'>;
  readonly #onSlow: (reason: PeerdError) => void;
  #queue: Item[] = [];
  #counted = 0;
  #pages = 0;
  #waiting = false;

  constructor(channel: Pick<Channel, 'send' | 'drained' | 'queuedBytes' | 'signal'>, limits: OutboxLimits, clock: Pick<Clock, 'schedule'>, onSlow: (reason: PeerdError) => void) {
    this.#channel = channel;
    this.#limits = limits;
    this.#clock = clock;
    this.#onSlow = onSlow;
  }

  /** Bytes that wait here and in the socket. */
  get bytes(): number {
    return this.#queue.reduce((sum, item) => sum + item.frame.byteLength, this.#channel.queuedBytes);
  }

  /** A snapshot is still under way, so another one would tell the client nothing that the deltas after it don't. */
  get sendingSnapshot(): boolean {
    return this.#pages > 0;
  }

  send(frame: Uint8Array): void {
    this.#counted += frame.byteLength;
    this.#push({ frame, page: false });
    if (this.#counted > this.#limits.maxBytes) this.#slow(`more than ${this.#limits.maxBytes} bytes wait for this client`);
  }

  sendSnapshot(pages: readonly Uint8Array[]): void {
    if (this.sendingSnapshot) return pages.forEach((frame) => this.send(frame));
    this.#pages += pages.length;
    for (const frame of pages) this.#push({ frame, page: true });
  }

  #push(item: Item): void {
    if (this.#channel.signal.aborted) return this.#clear();
    this.#queue.push(item);
    if (!this.#waiting) this.#pump();
  }

  #pump(): void {
    let sent = 0;
    let full = false;
    for (const { frame, page } of this.#queue) {
      sent += 1;
      if (page) this.#pages -= 1;
      else this.#counted -= frame.byteLength;
      full = !this.#channel.send(frame);
      if (full) break;
    }
    this.#queue.splice(0, sent);
    if (full) void this.#wait();
  }

  async #wait(): Promise<void> {
    this.#waiting = true;
    const cancel = this.#clock.schedule(this.#limits.stallMs, () => this.#slow(`this client took nothing for ${this.#limits.stallMs} ms`));
    try {
      await this.#channel.drained();
    } catch {
      // The connection ended; whoever ended it says why.
      return this.#clear();
    } finally {
      cancel();
    }
    this.#waiting = false;
    this.#pump();
  }

  #slow(message: string): void {
    this.#clear();
    this.#onSlow(new PeerdError('slow_consumer', message, { hint: 'Connect again: a snapshot brings the roster up to date.' }));
  }

  #clear(): void {
    this.#queue = [];
    this.#counted = 0;
    this.#pages = 0;
  }
}
