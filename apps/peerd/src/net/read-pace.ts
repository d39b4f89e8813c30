/** Reads each peer as slowly as a rate allows: a flood waits in its sender's memory, not in ours. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PeerId } from '@peerd/protocol';
import { type Rate, TokenBucket } from '@peerd/service';

/** What is read; `signal` aborts when it ends. */
export interface Source {
  readonly peer: PeerId;
  readonly signal: AbortSignal;
}

export class ReadPace {
  readonly #rate: Rate;
  readonly #onWait: (source: Source, waitMs: number) => void;
  readonly #buckets = new WeakMap<Source, TokenBucket>();

  /** @param onWait the source is not read for so long */
  constructor(rate: Rate, onWait: (source: Source, waitMs: number) => void) {
    this.#rate = rate;
    this.#onWait = onWait;
  }

  /** Resolves when the next one of the source may be taken. @throws the reason of its signal */
  async turn(source: Source): Promise<void> {
    const now = performance.now();
    const bucket = this.#buckets.get(source) ?? new TokenBucket(this.#rate, now);
    this.#buckets.set(source, bucket);
    const waitMs = bucket.borrow(now);
    if (waitMs === 0) return;
    this.#onWait(source, waitMs);
    await sleep(waitMs, undefined, { signal: source.signal });
  }
}
