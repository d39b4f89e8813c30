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
 */
import { isFinalState, type TransferState } from '../control/common.ts';

/** `paused` stands in the contract of the control API; nothing pauses a transfer in this protocol version. */
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
}

/** Nothing is left to do or to say. */
export const isSettled = (core: TransferCore): boolean => isFinalState(core.state) && !core.untold;
