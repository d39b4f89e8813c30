/**
 * Small messages that are sent without waiting: a reader that waits for its own answers to be taken could stop both
 * sides. How many wait on a link is counted, and a peer that talks but does not read loses the link.
 */
import { PeerdError } from '@peerd/protocol';
import type { Link } from '../peer/ports.ts';

/** Messages that may wait on a link. */
const maxPending = 512;
/** With fewer than this there is room for messages that nobody asked for. */
const comfortable = 64;

interface Pending {
  count: number;
  wake: (() => void) | undefined;
}

export class Posts {
  readonly #pending = new WeakMap<Link, Pending>();

  /** A message for a link that ended is dropped: the next link begins anew. */
  post(link: Link, frame: Buffer): void {
    const pending = this.#of(link);
    pending.count += 1;
    const taken = (): void => {
      pending.count -= 1;
      if (pending.count >= comfortable) return;
      pending.wake?.();
      pending.wake = undefined;
    };
    link.send(frame).then(taken, taken);
  }

  /** Called before a message of the peer is read. @throws PeerdError `slow_consumer` */
  check(link: Link): void {
    const { count } = this.#of(link);
    if (count > maxPending) throw new PeerdError('slow_consumer', `the peer does not read: ${count} answers wait for it`);
  }

  /** Resolves when there is room; at the latest when the link ends, since then everything pending is dropped. One waiter per link. */
  async room(link: Link): Promise<void> {
    const pending = this.#of(link);
    if (pending.count < comfortable) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    pending.wake = resolve;
    await promise;
  }

  #of(link: Link): Pending {
    const known = this.#pending.get(link);
    if (known) return known;
    const fresh: Pending = { count: 0, wake: undefined };
    this.#pending.set(link, fresh);
    return fresh;
  }
}
