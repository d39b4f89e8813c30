/** So many at a time, and so many per peer; the others wait in order of rank and then of time, but never for a peer that is full. */
import type { PeerId } from '@peerd/protocol';

interface Waiting {
  readonly peer: PeerId;
  readonly rank: number;
  readonly go: () => void;
}

export interface SlotLimits {
  readonly total: number;
  readonly perPeer: number;
}

export class Slots {
  readonly #total: number;
  readonly #perPeer: number;
  readonly #taken = new Map<PeerId, number>();
  #takenTotal = 0;
  #waiting: Waiting[] = [];

  constructor(limits: SlotLimits) {
    this.#total = limits.total;
    this.#perPeer = limits.perPeer;
  }

  /** @param rank the highest goes first @throws the reason of `signal` */
  async take(peer: PeerId, signal: AbortSignal, rank = 0): Promise<Disposable> {
    signal.throwIfAborted();
    if (!this.#fits(peer)) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const waiting: Waiting = { peer, rank, go: resolve };
      const onAbort = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        reject(signal.reason as Error);
      };
      const behind = this.#waiting.findIndex((other) => other.rank < rank);
      this.#waiting.splice(behind < 0 ? this.#waiting.length : behind, 0, waiting);
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        await promise;
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    } else {
      this.#add(peer, 1);
    }
    let released = false;
    return {
      [Symbol.dispose]: () => {
        if (released) return;
        released = true;
        this.#add(peer, -1);
        this.#next();
      },
    };
  }

  #fits(peer: PeerId): boolean {
    return this.#takenTotal < this.#total && (this.#taken.get(peer) ?? 0) < this.#perPeer;
  }

  /** The slot is taken on behalf of the one that waits, so that nobody comes in between. */
  #next(): void {
    for (let next = this.#firstThatFits(); next; next = this.#firstThatFits()) {
      const chosen = next;
      this.#waiting = this.#waiting.filter((other) => other !== chosen);
      this.#add(chosen.peer, 1);
      chosen.go();
    }
  }

  #firstThatFits(): Waiting | undefined {
    return this.#waiting.find(({ peer }) => this.#fits(peer));
  }

  #add(peer: PeerId, count: number): void {
    this.#takenTotal += count;
    const taken = (this.#taken.get(peer) ?? 0) + count;
    if (taken === 0) this.#taken.delete(peer);
    else this.#taken.set(peer, taken);
  }
}
