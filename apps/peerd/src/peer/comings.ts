/**
 * How often a peer may come. Each link costs rows, lines, events and a look at all its transfers, however short it is, so
 * whoever links and goes as fast as it can is let in ever more slowly.
 */
import type { PeerId } from '@peerd/protocol';
import { fullBucket, type Rate, takeToken, type TokenBucket } from '../net/token-bucket.ts';

/** A peer that dials as it should, by every address, and loses each link at once, stays far below. */
const rate: Rate = { burst: 60, perSecond: 1 };
/** Peers that are remembered; over that the one that came longest ago is forgotten. */
const maxRemembered = 4_096;

export class Comings {
  readonly #now: () => number;
  /** In the order of the last coming. */
  readonly #buckets = new Map<PeerId, TokenBucket>();

  /** @param now milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Counts one, unless it is one too many. */
  mayCome(peer: PeerId): boolean {
    const now = this.#now();
    const { bucket, waitMs } = takeToken(this.#buckets.get(peer) ?? fullBucket(rate, now), rate, now);
    if (waitMs > 0) return false;
    this.#buckets.delete(peer);
    this.#buckets.set(peer, bucket);
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= maxRemembered) break;
      this.#buckets.delete(oldest);
    }
    return true;
  }
}
