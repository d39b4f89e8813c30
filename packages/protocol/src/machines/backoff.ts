/** Delays between attempts. */
export interface Backoff {
  /** Ceiling of the first delay; it doubles with each attempt. */
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Exponential backoff with full jitter: anything from 0 to a ceiling that doubles, so that many clients of a server that
 * went away don't come back at the same moment.
 *
 * @param attempt 0 for the first retry
 * @param random 0 ≤ random < 1
 * @returns milliseconds
 */
export const backoffMs = ({ firstMs, maxMs }: Backoff, attempt: number, random: number): number =>
  Math.floor(random * Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30)));
