/**
 * Memory for content under way, of all peers. Room for a frame is taken when its header has come, and given back when what it
 * brought is on disk; who gets none is not read, so TCP holds the sender back.
 *
 * No deadlock: a frame takes all of its room at once, and then needs only bytes and the disk. No starvation: each peer has room
 * of its own, for one frame of any size at least, whatever the others hold; beyond it they take turns.
 */
import { KiB, maxChunkSize, MiB, type PayloadRoom, type PeerId } from '@peerd/protocol';
import { memoryBytesFor, PayloadPool } from './payload-pool.ts';

export interface ContentLimits {
  /** Bytes of one peer. */
  readonly peer: number;
  /** Bytes of one peer that no other can take: at least what the largest frame needs. */
  readonly own: number;
  /** Bytes that all peers together have beyond their own. */
  readonly shared: number;
  /** Bytes that nobody uses, for the next frames. */
  readonly kept: number;
}

/** A compressed chunk of the largest size, and the chunk. */
const largest: number = 2 * (maxChunkSize + 64 * KiB);

const defaultLimits: ContentLimits = { peer: 64 * MiB, own: largest, shared: 192 * MiB, kept: 16 * MiB };

interface Waiting {
  readonly bytes: number;
  readonly go: () => void;
}

interface Share {
  held: number;
  /** Connections that read. */
  readers: number;
  /** Oldest first. */
  readonly waiting: Waiting[];
}

/** What the connections of one peer see. */
export interface PeerMemory extends Disposable {
  /**
   * Room for a payload of `length` bytes, and `beside` bytes more that its frame will need elsewhere.
   *
   * @throws the reason of `signal`
   */
  room(length: number, beside: number, signal: AbortSignal): Promise<PayloadRoom>;
}

export class ContentMemory {
  readonly #onWait: () => void;
  readonly #limits: ContentLimits;
  readonly #pool: PayloadPool;
  readonly #shares = new Map<PeerId, Share>();
  /** Of those who wait, in the order of their turns. */
  readonly #queue = new Set<Share>();
  /** Taken of what is shared. */
  #shared = 0;
  #held = 0;

  /** @param onWait a frame has to wait for room */
  constructor(onWait: () => void, limits: ContentLimits = defaultLimits) {
    this.#onWait = onWait;
    this.#limits = limits;
    this.#pool = new PayloadPool(limits.kept);
  }

  /** Bytes that are taken. */
  get held(): number {
    return this.#held;
  }

  /** For one connection, until it is disposed of. What stands in its rooms may outlive it. */
  open(peer: PeerId): PeerMemory {
    const share = this.#shares.get(peer) ?? { held: 0, readers: 0, waiting: [] };
    this.#shares.set(peer, share);
    share.readers += 1;
    let isOpen = true;
    return {
      room: (length, beside, signal) => this.#room(share, memoryBytesFor(length), beside, signal),
      [Symbol.dispose]: () => {
        if (!isOpen) return;
        isOpen = false;
        share.readers -= 1;
        this.#forgetIdle();
      },
    };
  }

  async #room(share: Share, memoryBytes: number, beside: number, signal: AbortSignal): Promise<PayloadRoom> {
    signal.throwIfAborted();
    const bytes = memoryBytes + beside;
    if (share.waiting.length > 0 || !this.#fits(share, bytes)) await this.#turn(share, bytes, signal);
    else this.#take(share, bytes);
    const memory = this.#pool.take(memoryBytes);
    let isReleased = false;
    return {
      memory,
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#pool.give(memory);
        this.#take(share, -bytes);
        this.#serve();
        this.#forgetIdle();
      },
    };
  }

  #fits(share: Share, bytes: number): boolean {
    return share.held + bytes <= this.#limits.peer && this.#shared + this.#beyond(share.held + bytes) - this.#beyond(share.held) <= this.#limits.shared;
  }

  /** What of so many bytes of a peer is not of its own. */
  #beyond(bytes: number): number {
    return Math.max(0, bytes - this.#limits.own);
  }

  #take(share: Share, bytes: number): void {
    this.#shared += this.#beyond(share.held + bytes) - this.#beyond(share.held);
    share.held += bytes;
    this.#held += bytes;
  }

  /** Resolves when the bytes are taken. */
  async #turn(share: Share, bytes: number, signal: AbortSignal): Promise<void> {
    this.#onWait();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { bytes, go: resolve };
    const onAbort = (): void => {
      const at = share.waiting.indexOf(waiting);
      if (at >= 0) share.waiting.splice(at, 1);
      if (share.waiting.length === 0) this.#queue.delete(share);
      reject(signal.reason as Error);
      // It may have stood before one that fits.
      this.#serve();
    };
    share.waiting.push(waiting);
    this.#queue.add(share);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** One frame of each peer that waits, as long as any fits: who got one stands last, and so comes again. */
  #serve(): void {
    for (const share of this.#queue) {
      const next = share.waiting[0];
      if (next === undefined || !this.#fits(share, next.bytes)) continue;
      share.waiting.shift();
      this.#queue.delete(share);
      if (share.waiting.length > 0) this.#queue.add(share);
      this.#take(share, next.bytes);
      next.go();
    }
  }

  /** Without readers nothing is kept for the next frames. */
  #forgetIdle(): void {
    for (const [peer, { held, readers }] of this.#shares) if (held === 0 && readers === 0) this.#shares.delete(peer);
    if (this.#shares.values().every(({ readers }) => readers === 0)) this.#pool.clear();
  }
}
