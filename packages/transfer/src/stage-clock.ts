import type { StageTimes } from '@peerd/protocol';

/** Adds up the milliseconds that a transfer spends in each stage. Stages overlap, so the sum may exceed the duration. */
export class StageClock {
  readonly #times: StageTimes = { read: 0, hash: 0, socket: 0, write: 0, waiting: 0 };

  get times(): StageTimes {
    return { ...this.#times };
  }

  add(stage: keyof StageTimes, ms: number): void {
    this.#times[stage] += ms;
  }

  async time<T>(stage: keyof StageTimes, run: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await run();
    } finally {
      this.add(stage, performance.now() - start);
    }
  }

  /** The same for work that runs without waiting. */
  timeSync<T>(stage: keyof StageTimes, run: () => T): T {
    const start = performance.now();
    try {
      return run();
    } finally {
      this.add(stage, performance.now() - start);
    }
  }
}
