/** A rate limit: `burst` at once, then `perSecond`. Pure: the time, in milliseconds, comes with each call. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #filledAt: number;

  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#filledAt = now;
  }

  /** Takes `cost` tokens, or none and returns `false`. */
  take(now: number, cost = 1): boolean {
    const gained = (Math.max(0, now - this.#filledAt) * this.#rate.perSecond) / 1_000;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + gained);
    this.#filledAt = Math.max(now, this.#filledAt);
    if (this.#tokens < cost) return false;
    this.#tokens -= cost;
    return true;
  }
}
