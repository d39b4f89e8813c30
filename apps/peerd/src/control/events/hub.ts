/**
 * Events for any number of subscribers. The latest ones are kept, so that a subscriber that comes back misses nothing;
 * progress is not, since the next one replaces it.
 */
import type { ControlEvent } from '@peerd/protocol';
import type { EventSink } from '../ports.ts';

export interface HubOptions {
  /** Ids ascend over restarts too, so that an id of an earlier process is not taken for one of this. */
  readonly firstId: number;
  readonly maxKept?: number;
  readonly maxKeptCharacters?: number;
}

interface Kept {
  readonly id: number;
  readonly text: string;
}

/** Takes one event in the form of the wire. */
export type Subscriber = (text: string) => void;

/** Half of what a subscriber may leave unread: who comes back gets all of it at once. */
const defaultMaxKeptCharacters = 2 * 1_024 * 1_024;

export class EventHub implements EventSink {
  readonly #maxKept: number;
  readonly #maxKeptCharacters: number;
  readonly #kept: Kept[] = [];
  #keptCharacters = 0;
  #lastId: number;
  /** The newest event that is not kept any more. */
  #lostId: number;
  readonly #subscribers = new Set<Subscriber>();
  readonly #listeners = new Set<(event: ControlEvent) => void>();

  constructor({ firstId, maxKept = 1_024, maxKeptCharacters = defaultMaxKeptCharacters }: HubOptions) {
    this.#lastId = firstId - 1;
    this.#lostId = firstId - 1;
    this.#maxKept = maxKept;
    this.#maxKeptCharacters = maxKeptCharacters;
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  publish(event: ControlEvent): void {
    this.#lastId += 1;
    const text = format(this.#lastId, event);
    if (event.kind !== 'progress') this.#keep({ id: this.#lastId, text });
    for (const subscriber of this.#subscribers) subscriber(text);
    for (const listener of this.#listeners) listener(event);
  }

  /** Within the daemon: for metrics. */
  listen(listener: (event: ControlEvent) => void): void {
    this.#listeners.add(listener);
  }

  /** `hello` first; then what was missed since `lastEventId`, or `reset` if that is not known any more. Returns the unsubscriber. */
  subscribe(subscriber: Subscriber, lastEventId?: string): () => void {
    const hello: ControlEvent = { kind: 'hello', lastId: this.#lastId };
    const since = lastEventId === undefined ? undefined : Number(lastEventId);
    if (since === undefined) subscriber(format(this.#lastId, hello));
    else if (Number.isSafeInteger(since) && since >= this.#lostId && since <= this.#lastId) {
      // With the old id: whoever breaks off while catching up starts from there again.
      subscriber(format(since, hello));
      for (const { id, text } of this.#kept) if (id > since) subscriber(text);
    } else {
      subscriber(format(this.#lastId, hello));
      subscriber(format(this.#lastId, { kind: 'reset', lastId: this.#lastId }));
    }
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  #keep(kept: Kept): void {
    this.#kept.push(kept);
    this.#keptCharacters += kept.text.length;
    while (this.#kept.length > this.#maxKept || this.#keptCharacters > this.#maxKeptCharacters) {
      const oldest = this.#kept.shift();
      if (!oldest) return;
      this.#keptCharacters -= oldest.text.length;
      this.#lostId = oldest.id;
    }
  }
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html; JSON has no raw line break. */
const format = (id: number, event: ControlEvent): string => `id: ${id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;
