/** Rate and time to go, over the last seconds. Pure: the time is given. */
const windowMs = 5_000;
const maxSamples = 64;

interface Sample {
  readonly at: number;
  readonly bytes: number;
}

export class RateMeter {
  #samples: Sample[] = [];

  add(at: number, bytes: number): void {
    const last = this.#samples.at(-1);
    // Bytes that are taken back (an entry was verified as broken) begin a new measurement.
    if (last !== undefined && bytes < last.bytes) this.#samples = [];
    this.#samples.push({ at, bytes });
    // One sample older than the window stays, so that a slow transfer has a rate too.
    while (this.#samples.length > 2 && (this.#samples.length > maxSamples || at - (this.#samples[1]?.at ?? at) >= windowMs)) this.#samples.shift();
  }

  /** After an interruption: what was before does not count. */
  reset(): void {
    this.#samples = [];
  }

  /** Bytes per second until `now`, `undefined` before it can be told. A stall lets it fall. */
  rate(now: number): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || first === last) return undefined;
    const end = now - last.at > 1_000 ? now : last.at;
    return end <= first.at ? undefined : ((last.bytes - first.bytes) * 1_000) / (end - first.at);
  }

  /** Milliseconds until `total`, `undefined` while nothing moves. */
  remaining(now: number, total: number): number | undefined {
    const rate = this.rate(now);
    const last = this.#samples.at(-1);
    return rate === undefined || rate <= 0 || last === undefined ? undefined : (Math.max(0, total - last.bytes) * 1_000) / rate;
  }
}
