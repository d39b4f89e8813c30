/** A transfer that is sent: runs the sender's machine, as apps/peerd/src/transfer/outgoing.ts and content-task.ts do. */
import { isFinalState, isHeld, newSender, restoredSender, type SenderEffect, type SenderEvent, type SenderState, senderStep, type TransferEnd } from '@peerd/protocol';
import type { Task } from '../engine/timeline.ts';
import type { TransferRow } from '../world/disk.ts';
import type { Process } from '../world/machine.ts';
import type { ChunkBits, SaidByReceiver, SaidBySender } from '../world/message.ts';
import type { Endpoint, Side, Wire } from '../world/network.ts';
import { Attendance } from './attendance.ts';
import type { Link } from './link.ts';
import { storeAgainMs, type TurnOptions, Turns } from './turns.ts';

/** One round of content. */
interface Round {
  /** Given up, or at its end. */
  over: boolean;
  wire: Wire | undefined;
  side: Side;
  progressed: boolean;
  giveUp: () => void;
}

export class Outgoing {
  row: TransferRow;
  readonly attendance: Attendance;
  readonly #process: Process;
  readonly #turns: Turns<SenderState, SenderEvent, SenderEffect>;
  readonly #settled: () => void;
  #have: ChunkBits | undefined;
  #round: Round | undefined;
  #retry: Task | undefined;

  constructor(process: Process, row: TransferRow, settled: () => void) {
    this.row = row;
    this.#process = process;
    this.#settled = settled;
    this.#turns = new Turns({
      process, state: row.state === 'queued' ? { ...newSender, pausedHere: row.pausedHere } : restoredSender(row), step: senderStep, restored: restoredSender,
      row: () => this.row, keep: (kept) => (this.row = kept), perform: (effect) => this.#perform(effect), taken: (before) => this.#taken(before),
    });
    this.attendance = new Attendance(process, (event, options) => this.dispatch(event, options));
  }

  get state(): SenderState {
    return this.#turns.state;
  }

  /** Nobody may send what a side holds. */
  get sends(): boolean {
    return this.#round?.over === false;
  }

  dispatch(event: SenderEvent, options: TurnOptions = {}): void {
    this.#turns.dispatch(event, options);
  }

  /** For events of our own: they are not lost when the disk does not take them now. */
  report(event: SenderEvent, options: TurnOptions = {}): void {
    const again = (error: string | undefined): void => {
      if (error !== undefined) this.#process.after(storeAgainMs, () => this.report(event, options));
    };
    this.dispatch(event, { ...options, done: again });
  }

  message(link: Link, body: SaidByReceiver, done: (error: string | undefined) => void): void {
    this.attendance.linked(link);
    const options: TurnOptions = { when: () => this.attendance.link === link, done };
    switch (body.say) {
      case 'manifest-request':
        return this.dispatch({ type: 'manifest-request', fromPage: 0 }, options);
      case 'accept':
        return this.dispatch({ type: 'accept', matches: true }, options);
      case 'have':
        return this.dispatch({ type: 'have', page: { transfer: this.row.id, start: body.chunks, hashes: Buffer.alloc(0), last: body.last } }, options);
      case 'receipt': {
        const { disk } = this.#process.machine;
        // Into the log first: what is told is on the disk.
        return disk.commit(this.#process, () => disk.receipts.add(`sent ${this.row.id}`), (error) => {
          if (error) return done(error.code);
          this.dispatch({ type: 'receipt', valid: true, failed: body.failed }, { ...options, changing: () => (this.row = { ...this.row, receipt: true }) });
        });
      }
      case 'pause':
        return this.dispatch({ type: 'pause', paused: body.paused }, options);
      case 'reject':
      case 'cancel':
      case 'failed':
        return this.dispatch({ type: body.say, end: body.end }, options);
      default:
        return this.dispatch({ type: body.say }, options);
    }
  }

  #taken(before: SenderState): void {
    const { state } = this;
    const { ledger } = this.#process.machine;
    if (before.state !== state.state) this.#process.log(() => `sends ${this.row.id}: ${before.state} → ${state.state}${state.error ? ` (${state.error.code})` : ''}`);
    ledger.check(!isFinalState(before.state) || before.state === state.state, 'an end is an end', () => `${this.row.id}: ${before.state} → ${state.state}`);
    ledger.check(!(isHeld(state) && !isFinalState(state.state) && this.sends), 'no content while a side holds it', () => `${this.row.id} at its sender`);
    ledger.check(!(isFinalState(state.state) && this.sends), 'no content after the end', () => `${this.row.id} at its sender`);
    this.#settled();
  }

  #perform(effect: SenderEffect): void {
    switch (effect.do) {
      case 'say-offer':
        return this.#say({ say: 'offer', chunks: this.row.chunks, paused: this.row.pausedHere });
      case 'say-pause':
        return this.#say({ say: 'pause', paused: this.row.pausedHere });
      case 'say-pause-ack':
        return this.#say({ say: 'pause-ack' });
      case 'send-pages':
        return this.#say({ say: 'last-page' });
      case 'begin-have':
        this.#have = 0;
        return undefined;
      case 'add-have':
        this.#have = (this.#have ?? 0) | effect.page.start;
        return undefined;
      case 'start-content':
        return this.#startContent();
      case 'stop-content':
        return this.#stopContent();
      case 'retry-later':
        if (this.#retry) this.#retry.cancelled = true;
        this.#retry = this.#process.after(Math.min(5_000, 100 * 2 ** effect.losses), () => this.report({ type: 'retry' }));
        return undefined;
      case 'say-source-complete':
        return this.#say({ say: 'source-complete' });
      case 'say-end': {
        const end: TransferEnd = this.row.error ?? { code: 'cancelled', message: '' };
        return this.#say({ say: this.row.state === 'failed' ? 'failed' : 'cancel', end });
      }
      case 'say-receipt-ack':
        return this.#say({ say: 'receipt-ack' });
    }
  }

  #say(body: SaidBySender): void {
    const { link } = this.attendance;
    if (link?.alive) link.send({ kind: 'from-sender', transfer: this.row.id, body });
  }

  #stopContent(): void {
    const round = this.#round;
    this.#round = undefined;
    if (!round) return;
    round.over = true;
    round.giveUp();
    round.wire?.close(round.side);
  }

  #startContent(): void {
    const { link } = this.attendance;
    const have = this.#have;
    const { ledger } = this.#process.machine;
    ledger.check(!this.sends, 'one round of content at a time', () => this.row.id);
    if (!link || have === undefined) return;
    this.#have = undefined;
    ledger.counts.rounds += 1;
    const round: Round = { over: false, wire: undefined, side: 0, progressed: false, giveUp: () => {} };
    this.#round = round;
    const missing = Array.from({ length: this.row.chunks }, (_, index) => index).filter((index) => (have & (1 << index)) === 0);
    const ends = (event: SenderEvent, changing?: () => void): void => {
      round.over = true;
      this.report(event, { when: () => this.#round === round, ...(changing ? { changing } : {}) });
    };
    const sent = (): void => ends({ type: 'content-sent' }, () => (this.row = { ...this.row, contentRoot: true }));
    if (missing.length === 0) return void this.#process.after(1, sent);
    round.giveUp = link.openData(this.row.id, (wire, side) => {
      if (round.over || !wire) {
        wire?.close(side);
        if (!round.over) ends({ type: 'content-lost', progressed: false });
        return undefined;
      }
      round.wire = wire;
      round.side = side;
      this.report({ type: 'content-started' }, { when: () => this.#round === round });
      this.#feed(round, missing);
      const endpoint: Endpoint = {
        receive: () => ledger.check(false, 'only what is allowed on a connection', () => 'a message to the sending side of a data connection'),
        // The reader ends it when it has read everything.
        closed: (orderly) => {
          if (round.over) return;
          if (missing.length === 0 && orderly) sent();
          else ends({ type: 'content-lost', progressed: round.progressed });
        },
      };
      return link.keep(wire, side, endpoint);
    });
  }

  /** One chunk after the other; after the last one, this side has said everything. */
  #feed(round: Round, missing: number[]): void {
    this.#process.after(this.#process.machine.random.between(0.2, 8), () => {
      const { wire } = round;
      if (round.over || !wire?.open[round.side]) return;
      const index = missing[0];
      // The last message says that nothing follows; the reader closes then.
      if (index === undefined) return;
      wire.send(round.side, { kind: 'chunk', index, last: missing.length === 1 });
      missing.shift();
      round.progressed = true;
      this.#feed(round, missing);
    });
  }
}
