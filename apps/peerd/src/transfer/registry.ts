/** The transfers that are at work, and which peers are needed for them. */
import { isFinalState, isSettled, type PeerId, type TransferId } from '@peerd/protocol';
import type { Links } from '../peer/ports.ts';
import type { IncomingTransfer } from './incoming.ts';
import type { OutgoingTransfer } from './outgoing.ts';
import type { TransferKey, TransferRecord } from './record.ts';

export type LiveTransfer = OutgoingTransfer | IncomingTransfer;

const incomingKey = (peer: PeerId, id: TransferId): string => `${peer} ${id}`;

export class Registry {
  readonly #links: () => Pick<Links, 'need' | 'release'>;
  readonly #outgoing = new Map<TransferId, OutgoingTransfer>();
  readonly #incoming = new Map<string, IncomingTransfer>();
  /** Transfers for which a link is asked. */
  readonly #needed = new Set<string>();
  readonly #closing = new Set<Promise<void>>();

  constructor(links: () => Pick<Links, 'need' | 'release'>) {
    this.#links = links;
  }

  addOutgoing(transfer: OutgoingTransfer): void {
    this.#outgoing.set(transfer.record.id, transfer);
  }

  addIncoming(transfer: IncomingTransfer): void {
    this.#incoming.set(incomingKey(transfer.record.peer, transfer.record.id), transfer);
  }

  outgoing(peer: PeerId, id: TransferId): OutgoingTransfer | undefined {
    const transfer = this.#outgoing.get(id);
    return transfer?.record.peer === peer ? transfer : undefined;
  }

  incoming(peer: PeerId, id: TransferId): IncomingTransfer | undefined {
    return this.#incoming.get(incomingKey(peer, id));
  }

  live(key: TransferKey): LiveTransfer | undefined {
    return key.direction === 'send' ? this.outgoing(key.peer, key.id) : this.incoming(key.peer, key.id);
  }

  allIncoming(): IncomingTransfer[] {
    return [...this.#incoming.values()];
  }

  all(): LiveTransfer[] {
    return [...this.#outgoing.values(), ...this.#incoming.values()];
  }

  ofPeer(peer: PeerId): LiveTransfer[] {
    return this.all().filter(({ record }) => record.peer === peer);
  }

  /** After each step: asks for the link as long as it is needed, and lets go of what is over. */
  update(transfer: LiveTransfer): void {
    const { record } = transfer;
    const owner = `transfer ${record.direction} ${record.peer} ${record.id}`;
    const needed = needsLink(record);
    if (needed && !this.#needed.has(owner)) {
      this.#needed.add(owner);
      this.#links().need(record.peer, owner);
    } else if (!needed && this.#needed.delete(owner)) {
      this.#links().release(record.peer, owner);
    }
    if (!isSettled(transfer.state) || !record.cleaned) return;
    if (this.live(record) === transfer) {
      this.#outgoing.delete(record.id);
      this.#incoming.delete(incomingKey(record.peer, record.id));
    }
    this.#close(transfer);
  }

  async close(): Promise<void> {
    for (const transfer of this.all()) this.#close(transfer);
    await Promise.all(this.#closing);
  }

  #close(transfer: LiveTransfer): void {
    const closing = transfer.close().catch(() => {}).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

/** The sender goes after its receiver until the end; the receiver goes after the sender once it wants the content, and until its receipt is known. */
const needsLink = ({ direction, state, receipt, untold, pausedHere }: TransferRecord): boolean => {
  if (isFinalState(state)) return direction === 'receive' && untold && receipt !== undefined;
  // The other side goes after us for what only we hold; when it holds it too, nothing is to be done.
  if (pausedHere) return false;
  if (direction === 'send') return true;
  return state !== 'queued' && state !== 'offered';
};
