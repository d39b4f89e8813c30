/**
 * Large messages of peers that are no contacts, from their header until they were handled: pages of manifests, in truth. An honest
 * one takes milliseconds. So of too many, the one that is here longest gives way.
 */
import { KiB, MiB } from '@peerd/protocol';

/**
 * Bytes of small messages of such a peer that may wait for their users before it is not read; from this size on a message is a large
 * one, which waits alone. More than a chat message of the largest size.
 */
export const strangerBytes: number = 24 * KiB;

const defaultMaxBytes: number = 6 * MiB;

interface Held {
  readonly bytes: number;
  readonly giveWay: () => void;
}

export class StrangerRoom {
  readonly #maxBytes: number;
  /** Oldest first. */
  readonly #held = new Set<Held>();
  #bytes = 0;

  constructor(maxBytes: number = defaultMaxBytes) {
    this.#maxBytes = maxBytes;
  }

  /** @param giveWay it has to end, and counts no more. @returns gives the room back, once or more */
  take(bytes: number, giveWay: () => void): () => void {
    const held: Held = { bytes, giveWay };
    this.#held.add(held);
    this.#bytes += bytes;
    for (const oldest of this.#held) {
      if (this.#bytes <= this.#maxBytes || oldest === held) break;
      this.#release(oldest);
      oldest.giveWay();
    }
    return () => this.#release(held);
  }

  #release(held: Held): void {
    if (this.#held.delete(held)) this.#bytes -= held.bytes;
  }
}
