/** Reads a peer as slowly as a rate allows: a flood waits in its sender's memory, not in ours. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fullBucket, type Rate, takeToken, type TokenBucket } from './token-bucket.ts';

export class ReadPace {
  readonly #rate: Rate;
  readonly #now: () => number;
  #bucket: TokenBucket;

  /** @param now milliseconds */
  constructor(rate: Rate, now: () => number = Date.now) {
    this.#rate = rate;
    this.#now = now;
    this.#bucket = fullBucket(rate, now());
  }

  /** Resolves when the next one may be taken. @throws the reason of `signal` */
  async turn(signal: AbortSignal): Promise<void> {
    const { bucket, waitMs } = takeToken(this.#bucket, this.#rate, this.#now());
    this.#bucket = bucket;
    if (waitMs > 0) await sleep(waitMs, undefined, { signal });
  }
}
