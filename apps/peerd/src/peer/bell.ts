import { setTimeout as sleep } from 'node:timers/promises';

/** Wakes a loop from its pause. A ring while nobody waits is kept for the next wait. */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Until it rings, or `ms` have passed. `true`: it rang. @throws the reason of `signal` */
  async wait(ms: number, signal: AbortSignal): Promise<boolean> {
    const paused = new AbortController();
    const stop = (): void => paused.abort();
    signal.addEventListener('abort', stop, { once: true });
    this.#wake = stop;
    try {
      if (!this.#rung && !signal.aborted) await sleep(Math.min(ms, longestMs), undefined, { signal: paused.signal });
    } catch {
      // Woken, or aborted: both are told below.
    } finally {
      signal.removeEventListener('abort', stop);
      this.#wake = undefined;
    }
    signal.throwIfAborted();
    const rung = this.#rung;
    this.#rung = false;
    return rung;
  }
}

/** Longest time that a timer of Node can be set to. */
const longestMs = 2 ** 31 - 1;
