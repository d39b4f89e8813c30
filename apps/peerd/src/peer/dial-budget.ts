/** How often addresses are dialled that others told: a rendezvous names as many as it likes, and must not scan or flood anybody through us. */
import { fullBucket, type Rate, takeToken, type TokenBucket } from '../net/token-bucket.ts';

export class DialBudget {
  readonly #rate: Rate;
  readonly #now: () => number;
  #bucket: TokenBucket;

  constructor(rate: Rate, now: () => number = () => performance.now()) {
    this.#rate = rate;
    this.#now = now;
    this.#bucket = fullBucket(rate, now());
  }

  /** `false`: not now. A later round tries again. */
  take(): boolean {
    const { bucket, waitMs } = takeToken(this.#bucket, this.#rate, this.#now());
    if (waitMs > 0) return false;
    this.#bucket = bucket;
    return true;
  }
}
