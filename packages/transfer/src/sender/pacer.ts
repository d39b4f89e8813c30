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

export interface Turns {
  /** Resolves when so many bytes may go. @throws the reason of `signal` */
  turn(bytes: number, signal: AbortSignal): Promise<void>;
}

export class Pacer implements Turns {
  readonly #bytesPerSecond: number;
  readonly #clock: PacerClock;
  /** When the next piece may go. */
  #next = 0;
  /** When the next urgent one may. */
  #nextUrgent = 0;

  constructor(bytesPerSecond: number, clock: PacerClock = realClock) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#clock = clock;
  }

  /** For what is over soon: it waits for its kind only, and the others pay for it. The rate is kept over time. */
  get urgent(): Turns {
    return { turn: (bytes, signal) => this.#turn(bytes, signal, true) };
  }

  /** The first piece goes at once, each other one when those before it have been paid for. */
  turn(bytes: number, signal: AbortSignal): Promise<void> {
    return this.#turn(bytes, signal, false);
  }

  async #turn(bytes: number, signal: AbortSignal, urgent: boolean): Promise<void> {
    signal.throwIfAborted();
    const now = this.#clock.now();
    const cost = (bytes / this.#bytesPerSecond) * 1_000;
    const mine = Math.max(now, urgent ? this.#nextUrgent : this.#next);
    if (urgent) this.#nextUrgent = mine + cost;
    this.#next = Math.max(now, this.#next) + cost;
    try {
      for (let wait = mine - this.#clock.now(); wait > 0; wait = mine - this.#clock.now()) await this.#clock.sleep(wait, signal);
    } catch (error) {
      // It did not go: those that come later need not pay for it.
      this.#next -= cost;
      if (urgent) this.#nextUrgent -= cost;
      signal.throwIfAborted();
      throw error;
    }
  }
}
