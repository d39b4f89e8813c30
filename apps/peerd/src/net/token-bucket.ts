/** How much somebody may ask for: `burst` at once, then `perSecond`. Pure. */
export interface TokenBucket {
  readonly tokens: number;
  /** Milliseconds. */
  readonly at: number;
}

export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

export const fullBucket = (rate: Rate, now: number): TokenBucket => ({ tokens: rate.burst, at: now });

/** Takes one token, on credit if need be: `waitMs` tells when it is there. */
export const takeToken = (bucket: TokenBucket, rate: Rate, now: number): { bucket: TokenBucket; waitMs: number } => {
  const elapsed = Math.max(0, now - bucket.at);
  const tokens = Math.min(rate.burst, bucket.tokens + (elapsed * rate.perSecond) / 1_000) - 1;
  return { bucket: { tokens, at: now }, waitMs: tokens >= 0 ? 0 : Math.ceil((-tokens * 1_000) / rate.perSecond) };
};
