/**
 * What each key may have, over all its connections: whoever leaves and comes again is no newcomer. Pure: the time, in
 * milliseconds that never go back, comes with each call.
 */
import type { PeerId } from '@peerd/protocol';
import { type Rate, TokenBucket } from './token-bucket.ts';

/** Far more than keys can come, each with a handshake, until a budget is whole again. */
const maxKept = 16_384;

export class PeerBudgets {
  readonly #rate: Rate;
  /** Those that are not whole, in the order of their last use. */
  readonly #buckets = new Map<PeerId, { readonly bucket: TokenBucket; readonly usedAt: number }>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  get kept(): number {
    return this.#buckets.size;
  }

  /** Takes `cost` tokens, or none and returns `false`. */
  take(peer: PeerId, now: number, cost = 1): boolean {
    const bucket = this.#buckets.get(peer)?.bucket ?? new TokenBucket(this.#rate, now);
    this.#buckets.delete(peer);
    this.#buckets.set(peer, { bucket, usedAt: now });
    this.#forget(now);
    return bucket.take(now, cost);
  }

  /** A budget that nobody has used for so long is whole, like that of somebody who was never here. */
  #forget(now: number): void {
    const wholeAfterMs = (this.#rate.burst * 1_000) / this.#rate.perSecond;
    for (const [peer, { usedAt }] of this.#buckets) {
      if (usedAt + wholeAfterMs > now && this.#buckets.size <= maxKept) return;
      this.#buckets.delete(peer);
    }
  }
}
