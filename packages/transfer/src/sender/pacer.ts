/** Spreads what is sent over time, so that it stays below a rate. Those that share a pacer take turns. */
import { setTimeout } from 'node:timers/promises';

export interface PacerClock {
  /** Milliseconds; never goes back. */
  now(): number;
  /** May wake early. @throws if `signal` aborts */
  sleep(ms: number, signal: AbortSignal): Promise<unknown>;
}

const longestTimerMs = 2 ** 31 - 1;
const realClock: PacerClock = {
  now: () => performance.now(),
  sleep: (ms, signal) => setTimeout(Math.min(Math.ceil(ms), longestTimerMs), undefined, { signal }),
};

export class Pacer {
  readonly #bytesPerSecond: number;
  readonly #clock: PacerClock;
  /** When the next piece may go. */
  #next = 0;

  constructor(bytesPerSecond: number, clock: PacerClock = realClock) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#clock = clock;
  }

  /**
   * Resolves when so many bytes may go. The first piece goes at once, each other one when those before it have been paid for.
   *
   * @throws the reason of `signal`
   */
  async turn(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const cost = (bytes / this.#bytesPerSecond) * 1_000;
    const mine = Math.max(this.#clock.now(), this.#next);
    this.#next = mine + cost;
    try {
      for (let wait = mine - this.#clock.now(); wait > 0; wait = mine - this.#clock.now()) await this.#clock.sleep(wait, signal);
    } catch (error) {
      // It did not go: those that come later need not pay for it.
      this.#next -= cost;
      signal.throwIfAborted();
      throw error;
    }
  }
}
