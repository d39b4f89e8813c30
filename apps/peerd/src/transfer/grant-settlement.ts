/** What a grant has reserved for a transfer is settled with the end of it. */
import { isFinalState } from '@peerd/protocol';
import type { Logger } from '@peerd/service';
import type { Policies } from '../contacts/policies.ts';
import type { TransferRecord } from './record.ts';
import type { Registry } from './registry.ts';
import type { TransferStore } from './store.ts';

export interface GrantSettlementOptions {
  readonly policies: Pick<Policies, 'settle' | 'reservations'>;
  readonly registry: Registry;
  readonly store: TransferStore;
  readonly logger: Logger;
}

export class GrantSettlement {
  readonly #options: GrantSettlementOptions;

  constructor(options: GrantSettlementOptions) {
    this.#options = options;
  }

  /** After each step of a transfer. */
  taken(record: TransferRecord): void {
    if (!isFinalState(record.state)) return;
    const { policies, logger } = this.#options;
    policies.settle(record.peer, record.id, deliveredBytes(record)).catch((error: unknown) => {
      logger.error({ err: error, peer: record.peer, transfer: record.id }, 'transfer: what it used of a grant cannot be stored');
    });
  }

  /** A crash may have come between the end of a transfer and its settlement, or between a reservation and the acceptance. */
  async restart(): Promise<void> {
    const { policies, registry, store } = this.#options;
    for (const { peer, transfer } of policies.reservations()) {
      const record = registry.incoming(peer, transfer)?.record ?? (await store.get({ direction: 'receive', peer, id: transfer }));
      if (!record || isFinalState(record.state) || record.destination === undefined) await policies.settle(peer, transfer, record ? deliveredBytes(record) : 0);
    }
  }
}

/** Nothing without a receipt; with one, what arrived. */
const deliveredBytes = ({ receipt, bytes, bytesDone }: TransferRecord): number => (receipt ? Math.min(bytes, bytesDone) : 0);
