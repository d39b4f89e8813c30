/**
 * Sends what is queued for one peer over one link: in order, and only so many ahead of the acknowledgements, so that a
 * long queue after a long absence does not crowd out everything else on the link. A message that has nothing before it
 * goes out at once, while it is being stored.
 */
import { once } from 'node:events';
import { chat, encodeMessage } from '@peerd/protocol';
import { insist } from '../net/insist.ts';
import type { Link } from '../peer/ports.ts';
import type { Unstored } from './message.ts';
import type { MessageStore } from './store.ts';

/** Messages that may be sent but not acknowledged. */
const window = 32;

export interface OutboxOptions {
  /** Of silence, after which what is not acknowledged goes out again: the other side may have had no room for it. */
  readonly againMs: number;
  /** The store does not say now what waits; it is asked again. */
  readonly onFailure: (error: unknown) => void;
}

export class Outbox {
  readonly #link: Link;
  readonly #store: MessageStore;
  readonly #options: OutboxOptions;
  readonly #wakes = new EventTarget();
  readonly #unacknowledged = new Set<string>();
  /** Since the store was asked last: its answer may still have them as queued. */
  readonly #justAcknowledged = new Set<string>();
  #woken = true;
  #again = false;
  #silence: NodeJS.Timeout | undefined;

  constructor(link: Link, store: MessageStore, options: OutboxOptions) {
    this.#link = link;
    this.#store = store;
    this.#options = options;
  }

  get link(): Link {
    return this.#link;
  }

  /** @param waiting messages to this peer that are not acknowledged; were all of them sent on this link, a new one need not wait for the store */
  sendAhead(message: Unstored, waiting: number): void {
    if (waiting !== this.#unacknowledged.size || waiting >= window) return;
    // Without the link, the next one takes it from the store.
    this.#send(message).catch(() => {});
  }

  /** There is something new. */
  wake(): void {
    this.#woken = true;
    this.#wakes.dispatchEvent(new Event('wake'));
  }

  acknowledged(id: string): void {
    if (!this.#unacknowledged.delete(id)) return;
    this.#listen();
    this.#justAcknowledged.add(id);
    this.wake();
  }

  /** Until the link ends. @throws the reason of the link's end */
  async run(): Promise<never> {
    const { signal } = this.#link;
    // Each link starts anew, and so does one that fell silent: what was not acknowledged goes out again, and the reader drops what it has.
    let sentUpTo = 0;
    try {
      for (;;) {
        signal.throwIfAborted();
        if (!this.#woken) await once(this.#wakes, 'wake', { signal });
        this.#woken = false;
        if (this.#again) {
          this.#again = false;
          this.#unacknowledged.clear();
          sentUpTo = 0;
        }
        const free = window - this.#unacknowledged.size;
        if (free <= 0) continue;
        const after = sentUpTo;
        this.#justAcknowledged.clear();
        // A link may last for months: without this one, nothing would be sent until the next.
        const messages = await insist(() => this.#store.queued(this.#link.peer, after, free), { signal, onFailure: this.#options.onFailure });
        for (const message of messages) {
          signal.throwIfAborted();
          sentUpTo = message.seq;
          if (this.#unacknowledged.has(message.id) || this.#justAcknowledged.has(message.id)) continue;
          await this.#send(message);
        }
        if (messages.length === free) this.#woken = true;
      }
    } finally {
      clearTimeout(this.#silence);
    }
  }

  #send({ id, text, sentAt }: Unstored): Promise<void> {
    this.#unacknowledged.add(id);
    if (this.#silence === undefined) this.#listen();
    return this.#link.send(encodeMessage(chat, { id, text, sentAt }));
  }

  #listen(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
    if (this.#unacknowledged.size === 0 || this.#link.signal.aborted) return;
    this.#silence = setTimeout(() => {
      this.#silence = undefined;
      this.#again = true;
      this.wake();
    }, this.#options.againMs);
  }
}
