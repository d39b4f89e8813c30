/** Time as the program sees it, so that a test can hold it. */
export interface Clock {
  /** Milliseconds that never run backwards: leases, deadlines, rates. */
  monotonic(): number;
  /** Milliseconds since 1970: epochs. */
  wall(): number;
  /** Runs once, later. Returns the canceller. */
  schedule(delayMs: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  schedule: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/** One timer for the earliest of many due times. `due` is asked again after each ring and at each `set`. */
export class Alarm {
  readonly #clock: Clock;
  readonly #due: () => number | undefined;
  readonly #ring: (now: number) => void;
  #scheduled: { readonly at: number; readonly cancel: () => void } | undefined;
  #stopped = false;

  constructor(clock: Clock, due: () => number | undefined, ring: (now: number) => void) {
    this.#clock = clock;
    this.#due = due;
    this.#ring = ring;
  }

  /** Call it when something may be due earlier than before. A later due time needs no call: the ring finds nothing. */
  set(): void {
    const at = this.#due();
    if (this.#stopped || at === undefined || (this.#scheduled && this.#scheduled.at <= at)) return;
    this.#scheduled?.cancel();
    // Timers have whole milliseconds and may fire a little early.
    const delay = Math.max(1, Math.ceil(at - this.#clock.monotonic()));
    const cancel = this.#clock.schedule(delay, () => {
      this.#scheduled = undefined;
      this.#ring(this.#clock.monotonic());
      this.set();
    });
    this.#scheduled = { at, cancel };
  }

  stop(): void {
    this.#stopped = true;
    this.#scheduled?.cancel();
    this.#scheduled = undefined;
  }
}
