/** Samples of a flow: how fast it is, and whether its connections are what holds it up. */
export interface FlowSample {
  readonly bytesPerSecond: number;
  /** Share of the time in which no connection took anything, 0 to 1. */
  readonly blocked: number;
}

/** So long, and so many pieces, that a single one does not decide. */
const sampleMs = 500;
const samplePieces = 16;

export class FlowMeter {
  readonly #now: () => number;
  #since: number;
  #bytes = 0;
  #pieces = 0;
  #blockedMs = 0;

  /** @param now milliseconds; never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#since = now();
  }

  /** Waits for a connection that takes something. */
  async blocked<T>(wait: () => Promise<T>): Promise<T> {
    const before = this.#now();
    const result = await wait();
    this.#blockedMs += this.#now() - before;
    return result;
  }

  /** @returns a sample when one is complete */
  sent(bytes: number): FlowSample | undefined {
    this.#bytes += bytes;
    this.#pieces += 1;
    const ms = this.#now() - this.#since;
    if (ms < sampleMs || this.#pieces < samplePieces) return undefined;
    const sample = { bytesPerSecond: (this.#bytes / ms) * 1_000, blocked: Math.min(1, this.#blockedMs / ms) };
    this.#since += ms;
    this.#bytes = 0;
    this.#pieces = 0;
    this.#blockedMs = 0;
    return sample;
  }
}
