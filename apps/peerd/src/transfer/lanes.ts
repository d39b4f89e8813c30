/**
 * Slots for what is over soon, apart from those for everything else: a small file waits for other small ones at most, never
 * for a terabyte or for what is sent slowly on purpose.
 */
import type { TransferRecord } from './record.ts';
import { Slots, type SlotLimits } from './slots.ts';

export type Work = Pick<TransferRecord, 'peer' | 'entries' | 'bytes' | 'bytesDone' | 'limitRate'>;

/** What a slow line takes a few seconds for. */
const quickBytes = 4 * 1024 * 1024;
const quickEntries = 1_000;
const quickSeconds = 4;

/** By what is left of it, at its own rate limit. */
export const isQuick = ({ entries, bytes, bytesDone, limitRate }: Work): boolean =>
  entries <= quickEntries && bytes - bytesDone <= Math.min(quickBytes, limitRate === undefined ? quickBytes : limitRate * quickSeconds);

export class Lanes {
  readonly #quick: Slots;
  readonly #other: Slots;

  constructor(limits: { readonly quick: SlotLimits; readonly other: SlotLimits }) {
    this.#quick = new Slots(limits.quick);
    this.#other = new Slots(limits.other);
  }

  /** @param rank the highest goes first, of those that wait in the same lane @throws the reason of `signal` */
  take(work: Work, signal: AbortSignal, rank?: number): Promise<Disposable> {
    return (isQuick(work) ? this.#quick : this.#other).take(work.peer, signal, rank);
  }
}
