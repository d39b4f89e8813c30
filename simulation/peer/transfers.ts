/** The transfers of one peer, over its links and its restarts. As apps/peerd/src/transfer/{transfers,reception,registry}.ts. */
import { isFinalState, isSettled, type PeerId, type TransferId } from '@peerd/protocol';
import type { TransferRow } from '../world/disk.ts';
import type { Process } from '../world/machine.ts';
import type { LinkMessage } from '../world/message.ts';
import type { Endpoint, Side, Wire } from '../world/network.ts';
import { Incoming } from './incoming.ts';
import type { Link } from './link.ts';
import { Outgoing } from './outgoing.ts';

const unknownTransfer = 'unknown transfer';

export interface Habits {
  /** How long the person there thinks about an offer, in milliseconds; and whether the answer is no. */
  answerTo(transfer: TransferId): { readonly ms: number; readonly rejects: boolean };
}

export class Transfers {
  readonly outgoing = new Map<TransferId, Outgoing>();
  readonly incoming = new Map<TransferId, Incoming>();
  readonly #process: Process;
  readonly #habits: Habits;
  readonly #links = new Map<PeerId, Link>();
  readonly #changed: () => void;

  /** @param changed a link may be needed now, or not any more */
  constructor(process: Process, habits: Habits, changed: () => void) {
    this.#process = process;
    this.#habits = habits;
    this.#changed = changed;
  }

  /** Goes on with what is on the disk. */
  start(): void {
    for (const row of this.#process.machine.disk.rows.values()) {
      if (row.direction === 'send') this.#addOutgoing(row);
      else {
        const transfer = this.#addIncoming(row, false);
        transfer.dispatch({ type: 'restarted' });
        if (row.state === 'offered') this.#offered(transfer);
      }
    }
  }

  needs(peer: PeerId): boolean {
    for (const { row } of this.outgoing.values()) if (row.peer === peer && !isFinalState(row.state) && !row.pausedHere) return true;
    for (const { row } of this.incoming.values()) {
      if (row.peer !== peer) continue;
      if (isFinalState(row.state) ? row.untold && row.receipt : !row.pausedHere && row.state !== 'queued' && row.state !== 'offered') return true;
    }
    return false;
  }

  hasUnfinished(peer: PeerId): boolean {
    return [...this.outgoing.values(), ...this.incoming.values()].some(({ row, state }) => row.peer === peer && !isSettled(state));
  }

  send(id: TransferId, peer: PeerId, chunks: number): void {
    const { disk } = this.#process.machine;
    const row: TransferRow = {
      direction: 'send', peer, id, chunks, state: 'queued', untold: false, error: undefined, pausedHere: false, pausedThere: false, consented: true, contentRoot: false, receipt: false,
    };
    const write = (): void => {
      disk.rows.set(`send ${id}`, row);
      disk.contacts.add(peer);
    };
    disk.commit(this.#process, write, (error) => {
      // The person is told that it failed.
      if (error) return;
      const transfer = this.#addOutgoing(row);
      this.#changed();
      const link = this.#links.get(peer);
      if (link) transfer.attendance.linked(link);
    });
  }

  linkUp(link: Link): void {
    this.#links.set(link.peer, link);
    for (const transfer of this.#of(this.incoming, link.peer)) transfer.attendance.linked(link);
    for (const transfer of this.#of(this.outgoing, link.peer)) transfer.attendance.linked(link);
  }

  linkDown(link: Link): void {
    if (this.#links.get(link.peer) === link) this.#links.delete(link.peer);
    for (const transfer of this.#of(this.outgoing, link.peer)) transfer.attendance.unlinked(link);
    for (const transfer of this.#of(this.incoming, link.peer)) transfer.attendance.unlinked(link);
  }

  expectsData(peer: PeerId, id: TransferId): number | undefined {
    const transfer = this.incoming.get(id);
    return transfer?.row.peer === peer && transfer.expectsData() ? transfer.state.round : undefined;
  }

  dataOpened(link: Link, id: TransferId, wire: Wire, side: Side): Endpoint {
    const transfer = this.incoming.get(id);
    if (transfer) return transfer.dataOpened(link, wire, side);
    wire.close(side);
    return { receive: () => {}, closed: () => {} };
  }

  message(link: Link, message: LinkMessage, done: (error: string | undefined) => void): void {
    if (message.kind === 'from-receiver') {
      const { transfer: id, body } = message;
      const transfer = this.outgoing.get(id);
      if (transfer?.row.peer === link.peer) return transfer.message(link, body, done);
      const unknown = ['manifest-request', 'offered', 'accept'].includes(body.say) || (body.say === 'cancel' && body.end.message !== unknownTransfer) || body.say === 'failed';
      if (unknown && link.alive) link.send({ kind: 'from-sender', transfer: id, body: { say: 'cancel', end: { code: 'cancelled', message: unknownTransfer } } });
      return done(undefined);
    }
    if (message.kind !== 'from-sender') return done(undefined);
    const { transfer: id, body } = message;
    const transfer = this.incoming.get(id);
    if (transfer) return transfer.message(link, body, done);
    if (body.say === 'offer') return this.#newOffer(link, id, body, done);
    if ((body.say === 'cancel' && body.end.message !== unknownTransfer) || body.say === 'failed')
      link.send({ kind: 'from-receiver', transfer: id, body: { say: 'cancel', end: { code: 'cancelled', message: unknownTransfer } } });
    return done(undefined);
  }

  #newOffer(link: Link, id: TransferId, body: Extract<Parameters<Incoming['message']>[1], { say: 'offer' }>, done: (error: string | undefined) => void): void {
    const { disk } = this.#process.machine;
    const row: TransferRow = {
      direction: 'receive', peer: link.peer, id, chunks: body.chunks, state: 'queued', untold: false, error: undefined, pausedHere: false, pausedThere: false, consented: false, contentRoot: false, receipt: false,
    };
    disk.commit(this.#process, () => disk.rows.set(`receive ${id}`, row), (error) => {
      if (error) return done(error.code);
      const transfer = this.#addIncoming(row, true);
      return transfer.message(link, body, done);
    });
  }

  #offered(transfer: Incoming): void {
    if (transfer.state.state !== 'offered') return;
    const { ms, rejects } = this.#habits.answerTo(transfer.row.id);
    this.#process.after(ms, () => {
      if (transfer.state.state !== 'offered') return;
      if (rejects) transfer.report({ type: 'local-reject', end: { code: 'rejected', message: 'no' } });
      else transfer.accept();
    });
  }

  #addOutgoing(row: TransferRow): Outgoing {
    const transfer = new Outgoing(this.#process, row, this.#changed);
    this.outgoing.set(row.id, transfer);
    return transfer;
  }

  #addIncoming(row: TransferRow, fresh: boolean): Incoming {
    const transfer: Incoming = new Incoming(this.#process, row, fresh, { offered: () => this.#offered(transfer), settled: this.#changed });
    this.incoming.set(row.id, transfer);
    return transfer;
  }

  *#of<T extends Outgoing | Incoming>(transfers: ReadonlyMap<TransferId, T>, peer: PeerId): Generator<T> {
    for (const transfer of transfers.values()) if (transfer.row.peer === peer) yield transfer;
  }
}
