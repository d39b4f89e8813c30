/** What the world keeps account of: broken promises, an event log when somebody reads it, and what happened how often. */
import type { Timeline } from '../engine/timeline.ts';

/** A promise was broken. `invariant` names it; the message has the details. */
export class Violation extends Error {
  readonly invariant: string;

  constructor(invariant: string, detail: string) {
    super(`${invariant}: ${detail}`);
    this.invariant = invariant;
  }
}

export class Ledger {
  readonly #timeline: Timeline;
  readonly #trace: ((line: string) => void) | undefined;
  /** Of the whole world. */
  readonly counts = { links: 0, introductions: 0, registrations: 0, rounds: 0, chunks: 0, reused: 0, verified: 0, crashes: 0 };

  constructor(timeline: Timeline, trace: ((line: string) => void) | undefined) {
    this.#timeline = timeline;
    this.#trace = trace;
  }

  /** @param text made only when somebody reads it */
  log(who: string, text: () => string): void {
    this.#trace?.(`${this.#timeline.now.toFixed(1).padStart(10)} ${String(this.#timeline.steps).padStart(6)} ${who.padEnd(11)} ${text()}`);
  }

  /** @throws Violation when `holds` is not true */
  check(holds: boolean, invariant: string, detail: () => string): void {
    if (!holds) throw new Violation(invariant, detail());
  }
}
