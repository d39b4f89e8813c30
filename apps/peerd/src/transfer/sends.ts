/** A person's `send`: the transfers are made, stored and set to work; the answer says what became of the request. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PeerdError, type PeerId, type SendRequest, type SendResponse } from '@peerd/protocol';
import type { Contacts } from '../contacts/ports.ts';
import type { Link } from '../peer/ports.ts';
import type { TransferEnvironment } from './environment.ts';
import type { OutgoingTransfer } from './outgoing.ts';
import type { TransferRecord } from './record.ts';
import type { Registry } from './registry.ts';
import { prepareSend } from './send.ts';
import { KeyTurns } from './send-key.ts';
import { summaryOf } from './view.ts';

/** Transfers of ours that may be unfinished. */
const maxOutgoing = 10_000;

export interface SendsOptions {
  readonly environment: TransferEnvironment;
  readonly contacts: Pick<Contacts, 'choose' | 'pin'>;
  readonly registry: Registry;
  readonly unfinished: () => number;
  readonly outgoing: (record: TransferRecord) => OutgoingTransfer;
  readonly linkTo: (peer: PeerId) => Link | undefined;
  /** Nobody waits for it; a failure is logged. */
  readonly hear: (transfer: OutgoingTransfer, heard: Promise<void>) => void;
}

export class Sends {
  readonly #options: SendsOptions;
  readonly #turns = new KeyTurns();

  constructor(options: SendsOptions) {
    this.#options = options;
  }

  send(request: SendRequest, signal: AbortSignal): Promise<SendResponse> {
    return this.#turns.take(request.key, () => this.#send(request, signal));
  }

  async #send(request: SendRequest, signal: AbortSignal): Promise<SendResponse> {
    const { environment, contacts, unfinished } = this.#options;
    if (unfinished() + request.peers.length > maxOutgoing)
      throw new PeerdError('rate_limited', `${maxOutgoing} transfers are not over yet`, { hint: 'Wait for some of them, or cancel them: `peerctl transfers`.' });
    const { group, records, repeated, skipped, leftOut, warnings } = await prepareSend(environment, contacts, request, signal);
    // As they are queued: the answer comes before what a link that is there makes of them.
    const transfers = records.map((record) => this.#summary(record));
    for (const record of records) if (!repeated.has(record.id)) this.#begin(record);
    return {
      ...(group === undefined ? {} : { group }), transfers, skipped: [...skipped], warnings: [...warnings],
      ...(leftOut === 0 ? {} : { leftOut }), ...(repeated.size === 0 ? {} : { repeated: [...repeated] }),
    };
  }

  #begin(record: TransferRecord): void {
    const { environment, registry, outgoing, linkTo, hear } = this.#options;
    const transfer = outgoing(record);
    registry.addOutgoing(transfer);
    environment.events.publish({ kind: 'transfer', transfer: this.#summary(record) });
    registry.update(transfer);
    const link = linkTo(record.peer);
    if (link) hear(transfer, nextTurn().then(() => transfer.linked(link)));
  }

  /** The one that is at work knows more than its row. */
  #summary(record: TransferRecord): SendResponse['transfers'][number] {
    const { environment, registry } = this.#options;
    const current = registry.live(record)?.record ?? record;
    return summaryOf(current, environment.nameOf(current));
  }
}
