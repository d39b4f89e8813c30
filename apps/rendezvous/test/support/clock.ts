import type { Clock } from '../../src/clock.ts';

/** Time that stands still until the test moves it. */
export class ManualClock implements Clock {
  readonly #timers = new Map<number, { readonly at: number; readonly run: () => void }>();
  #now = 1_000;
  #last = 0;

  monotonic(): number {
    return this.#now;
  }

  wall(): number {
    return 1_700_000_000_000 + this.#now;
  }

  schedule(delayMs: number, run: () => void): () => void {
    this.#last += 1;
    const key = this.#last;
    this.#timers.set(key, { at: this.#now + delayMs, run });
    return () => this.#timers.delete(key);
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Moves time on; timers run in the order of their due times. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      const [key, timer] = due;
      this.#timers.delete(key);
      this.#now = Math.max(this.#now, timer.at);
      timer.run();
    }
    this.#now = end;
  }
}
