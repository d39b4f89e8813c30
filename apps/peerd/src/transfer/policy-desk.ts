/** Offers meet the policy of their sender: taken at once, or left to a person, who is told why. */
import { acceptByPolicy, type Decider, verdictOn } from './decisions.ts';
import type { IncomingTransfer } from './incoming.ts';
import type { TransferRecord } from './record.ts';
import { peerOf } from './view.ts';

export class PolicyDesk {
  readonly #decider: Decider;
  /** Why offers wait although their sender's policy is `auto`, where that is not the policy itself. */
  readonly #obstacles = new WeakMap<TransferRecord, string>();

  constructor(decider: Decider) {
    this.#decider = decider;
  }

  async offered(transfer: IncomingTransfer): Promise<void> {
    const { record } = transfer;
    if (record.state !== 'offered') return;
    const { accepted, why } = await acceptByPolicy(this.#decider, transfer);
    if (accepted) return;
    if (why !== undefined) this.#obstacles.set(record, why);
    const { events, nameOf } = this.#decider.environment;
    events.publish({ kind: 'offer', id: record.id, from: peerOf(record, nameOf(record)) });
  }

  /** Judged anew, so that it is true of the policy as it is now. `undefined`: nothing but that its policy is `ask`. */
  whyAsked(record: TransferRecord): string | undefined {
    const verdict = verdictOn(this.#decider, record);
    if (verdict.kind === 'ask') return verdict.why;
    return verdict.kind === 'auto' ? this.#obstacles.get(record) : undefined;
  }
}
