/**
 * What the two machines of a transfer share. The sender's is in transfer-sender.ts, the receiver's in
 * transfer-receiver.ts; each is a table `state × event → step`, and an event that has no cell in a state means nothing
 * there.
 *
 * How the two stay in agreement:
 * - `offer` opens each link: the receiver answers by what it knows, so neither relies on what was said on an earlier link.
 * - `accept` makes the sender forget earlier `have` pages; the content flows after the page with `last`.
 * - The side that ends a transfer by itself is `untold` until the other one confirms, and says the end again on each link.
 *   The receiver confirms with its own end of it, the sender with `receipt-ack`, which is never answered.
 * - A pause is a flag of each side. `offer` carries the sender's, the receiver answers with its own; `pause` tells a change
 *   and is answered by `pause-ack`. Content stops where a flag is set, and begins anew with an `accept` of the receiver once
 *   no flag is set and every `pause` was answered, so that no round is mixed up with one of before the pause.
 */
import { isFinalState, type TransferState } from '../control/common.ts';

/**
 * Where a transfer stands. `paused` is no phase: it is what people see of an unfinished one that a side holds, whatever
 * its phase is, and it goes on from there.
 */
export type TransferPhase = Exclude<TransferState, 'paused'>;

/** Why a transfer ended other than `done`. The code is of the error registry where this side chose it. */
export interface TransferEnd {
  readonly code: string;
  readonly message: string;
}

/** What both machines know. */
export interface TransferCore {
  readonly state: TransferPhase;
  /** A link to the other side is up. */
  readonly linked: boolean;
  /** Final, and the other side has not confirmed that it knows. */
  readonly untold: boolean;
  readonly error: TransferEnd | undefined;
  /** This side holds it. No content flows before both sides have let go. */
  readonly pausedHere: boolean;
  /** The other side holds it, as far as it has said so. */
  readonly pausedThere: boolean;
  /** `pause` messages of ours on this link that were not answered: what came meanwhile was said without knowing of them. */
  readonly unheard: number;
}

export const unpaused: Pick<TransferCore, 'pausedHere' | 'pausedThere' | 'unheard'> = { pausedHere: false, pausedThere: false, unheard: 0 };

/** Neither side may begin a round of content. */
export const isHeld = ({ pausedHere, pausedThere, unheard }: TransferCore): boolean => pausedHere || pausedThere || unheard > 0;

/** What people see. What is being verified, and what has ended, is beyond a pause. */
export const shownState = ({ state, pausedHere, pausedThere }: Pick<TransferCore, 'state' | 'pausedHere' | 'pausedThere'>): TransferState =>
  (pausedHere || pausedThere) && state !== 'verifying' && !isFinalState(state) ? 'paused' : state;

/** Nothing is left to do or to say. */
export const isSettled = (core: TransferCore): boolean => isFinalState(core.state) && !core.untold;
