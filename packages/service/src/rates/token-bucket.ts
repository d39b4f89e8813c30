/** How much somebody may have: `burst` at once, then `perSecond`. Pure: the time, in milliseconds that never go back, comes with each call. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

export class TokenBucket {
  readonly #rate: Rate;
  /** Below zero: borrowed. */
  #tokens: number;
  #filledAt: number;

  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#filledAt = now;
  }

  /** Takes `cost` tokens, or none and returns `false`. */
  take(now: number, cost = 1): boolean {
    this.#fill(now);
    if (this.#tokens < cost) return false;
    this.#tokens -= cost;
    return true;
  }

  /** Takes one, on credit if need be. @returns milliseconds until it is there */
  borrow(now: number): number {
    this.#fill(now);
    this.#tokens -= 1;
    return Math.max(0, Math.ceil((-this.#tokens * 1_000) / this.#rate.perSecond));
  }

  #fill(now: number): void {
    const gained = (Math.max(0, now - this.#filledAt) * this.#rate.perSecond) / 1_000;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + gained);
    this.#filledAt = Math.max(now, this.#filledAt);
  }
}
