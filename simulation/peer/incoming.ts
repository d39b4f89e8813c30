/** A transfer that comes here: runs the receiver's machine, as apps/peerd/src/transfer/incoming.ts does. */
import {
  expectsData, isFinalState, isHeld, newReceiver, type ReceiverEffect, type ReceiverEvent, type ReceiverState, receiverStep, restoredReceiver,
} from '@peerd/protocol';
import type { TransferRow } from '../world/disk.ts';
import type { Process } from '../world/machine.ts';
import type { Message, SaidByReceiver, SaidBySender } from '../world/message.ts';
import type { Endpoint, Side, Wire } from '../world/network.ts';
import { Attendance } from './attendance.ts';
import { deliver } from './delivery.ts';
import type { Link } from './link.ts';
import { ReceivedFiles } from './received-files.ts';
import { storeAgainMs, type TurnOptions, Turns } from './turns.ts';

/** One, and the next one while the last bytes of it are stored. */
const maxData = 2;

interface Reader {
  readonly wire: Wire;
  readonly side: Side;
  /** What has arrived and is not looked at. */
  readonly arrived: Message[];
  admitted: boolean;
  busy: boolean;
  ended: boolean;
  /** Closed by this side: what has arrived is not read any more. */
  closedHere: boolean;
}

export class Incoming {
  row: TransferRow;
  readonly attendance: Attendance;
  readonly #process: Process;
  readonly #turns: Turns<ReceiverState, ReceiverEvent, ReceiverEffect>;
  readonly #hooks: { offered: () => void; settled: () => void };
  readonly #readers = new Set<Reader>();
  #files: ReceivedFiles | undefined;
  /** Grows when a check of the journal is given up. */
  #check = 0;
  #checking = false;
  #resting = false;

  constructor(process: Process, row: TransferRow, fresh: boolean, hooks: { offered: () => void; settled: () => void }) {
    this.row = row;
    this.#process = process;
    this.#hooks = hooks;
    this.#turns = new Turns({
      process, state: fresh ? { ...newReceiver, linked: false } : restoredReceiver(row), step: receiverStep, restored: restoredReceiver,
      row: () => this.row, keep: (kept) => (this.row = kept), perform: (effect) => this.#perform(effect), taken: (before) => this.#taken(before),
    });
    this.attendance = new Attendance(process, (event, options) => this.dispatch(event, options));
  }

  get state(): ReceiverState {
    return this.#turns.state;
  }

  expectsData(): boolean {
    return expectsData(this.state);
  }

  dispatch(event: ReceiverEvent, options: TurnOptions = {}): void {
    this.#turns.dispatch(event, options);
  }

  /** For events of our own: they are not lost when the disk does not take them now. */
  report(event: ReceiverEvent, options: TurnOptions = {}): void {
    const again = (error: string | undefined): void => {
      if (error !== undefined) this.#process.after(storeAgainMs, () => this.report(event, options));
    };
    this.dispatch(event, { ...options, done: again });
  }

  accept(): void {
    this.report({ type: 'local-accept' }, { changing: () => (this.row = { ...this.row, consented: true }) });
  }

  message(link: Link, body: SaidBySender, done: (error: string | undefined) => void): void {
    this.attendance.linked(link);
    const options: TurnOptions = { when: () => this.attendance.link === link, done };
    switch (body.say) {
      case 'offer':
        return this.dispatch({ type: 'offer', paused: body.paused }, options);
      case 'last-page':
        if (this.state.state !== 'queued') return done(undefined);
        return this.#process.machine.disk.work(this.#process, 10, () =>
          this.dispatch({ type: 'manifest-stored' }, {
            changing: () => {},
            done: (error) => {
              if (error === undefined) this.#hooks.offered();
              done(error);
            },
          }),
        );
      case 'source-complete': {
        const first = (): void => {
          if (!isFinalState(this.state.state) && this.state.state !== 'verifying') this.row = { ...this.row, contentRoot: true };
        };
        return this.dispatch({ type: 'source-complete' }, { ...options, first });
      }
      case 'pause':
        return this.dispatch({ type: 'pause', paused: body.paused }, options);
      case 'cancel':
      case 'failed':
        return this.dispatch({ type: body.say, end: body.end }, options);
      default:
        return this.dispatch({ type: body.say }, options);
    }
  }

  dataOpened(link: Link, wire: Wire, side: Side): Endpoint {
    const { round } = this.state;
    const reader: Reader = { wire, side, arrived: [], admitted: false, busy: false, ended: false, closedHere: false };
    const endpoint: Endpoint = {
      receive: (message) => {
        reader.arrived.push(message);
        this.#read(reader);
      },
      closed: () => this.#ended(reader),
    };
    const admit = (): void => {
      reader.admitted = true;
      this.#readers.add(reader);
    };
    const done = (): void => {
      if (!reader.admitted) {
        wire.close(side);
        return;
      }
      this.#read(reader);
    };
    // What is announced before it may void this round.
    this.dispatch({ type: 'data-opened' }, { when: () => this.attendance.link === link && this.state.round === round && this.expectsData() && this.#files !== undefined, first: admit, done });
    return endpoint;
  }

  /** One chunk after the other is hashed and stored, also when the connection was closed meanwhile: the one under way. */
  #read(reader: Reader): void {
    if (!reader.admitted || reader.busy) return;
    const message = reader.ended && reader.closedHere ? undefined : reader.arrived.shift();
    if (!message) {
      if (!reader.ended || !this.#readers.delete(reader)) return;
      this.#rest();
      this.report({ type: 'data-closed' });
      return;
    }
    reader.busy = true;
    const { random } = this.#process.machine;
    // A disk that is behind lets it wait.
    this.#process.after(random.chance(0.05) ? random.between(0, 1_500) : random.between(0, 3), () => {
      reader.busy = false;
      this.#chunk(reader, message);
      this.#read(reader);
    });
  }

  #chunk(reader: Reader, message: Message): void {
    const { ledger } = this.#process.machine;
    if (message.kind !== 'chunk' || isFinalState(this.state.state)) return;
    ledger.check(this.row.consented, 'nothing is stored without consent', () => this.row.id);
    ledger.check(reader.closedHere || !(isHeld(this.state) || this.state.owesHave), 'what a pause or a new round made void is not read', () => this.row.id);
    const error = this.#files ? this.#files.take(message.index) : { code: 'internal', message: 'no files' };
    if (error) this.report({ type: 'local-failed', end: error });
    if (error || message.last) this.#close(reader);
  }

  /** Once nothing is read any more. */
  #rest(): void {
    if (!this.#resting || this.#readers.size > 0) return;
    this.#resting = false;
    this.#files?.rest();
  }

  #close(reader: Reader): void {
    reader.closedHere = true;
    reader.wire.close(reader.side);
    this.#ended(reader);
  }

  #ended(reader: Reader): void {
    reader.ended = true;
    this.#read(reader);
  }

  #taken(before: ReceiverState): void {
    const { state } = this;
    const { ledger, disk } = this.#process.machine;
    if (before.state !== state.state) this.#process.log(() => `receives ${this.row.id}: ${before.state} → ${state.state}${state.error ? ` (${state.error.code})` : ''}`);
    ledger.check(!isFinalState(before.state) || before.state === state.state, 'an end is an end', () => `${this.row.id}: ${before.state} → ${state.state}`);
    ledger.check(state.state !== 'done' || disk.finals.some(({ transfer }) => transfer === this.row.id), 'done means delivered', () => this.row.id);
    ledger.check(state.data <= maxData, 'bounded queues', () => `${state.data} data connections of ${this.row.id}`);
    const isWorking = isHeld(state) && !isFinalState(state.state) && state.state !== 'verifying';
    ledger.check(!(isWorking && this.#checking), 'no content while a side holds it', () => `${this.row.id} at its receiver`);
    // Staging goes with the end; what was delivered stays.
    if (isFinalState(state.state) && !isFinalState(before.state)) {
      this.#files?.close();
      this.#files = undefined;
      if (state.state !== 'done') disk.staging.delete(this.row.id);
    }
    this.#hooks.settled();
  }

  #perform(effect: ReceiverEffect): void {
    switch (effect.do) {
      case 'request-manifest':
        return this.#say({ say: 'manifest-request' });
      case 'say-offered':
        return this.#say({ say: 'offered' });
      case 'say-accept':
        return this.#say({ say: 'accept' });
      case 'say-pause':
        return this.#say({ say: 'pause', paused: this.row.pausedHere });
      case 'say-pause-ack':
        return this.#say({ say: 'pause-ack' });
      case 'check-journal':
        return this.#checkJournal();
      case 'say-have':
        return this.#sayHave();
      case 'close-data':
        for (const reader of this.#readers) this.#close(reader);
        return undefined;
      case 'rest':
        this.#check += 1;
        this.#checking = false;
        this.#resting = true;
        return this.#rest();
      case 'finish':
        return this.#deliver();
      case 'say-end':
        return this.#sayEnd();
    }
  }

  #say(body: SaidByReceiver): void {
    const { link } = this.attendance;
    if (link?.alive) link.send({ kind: 'from-receiver', transfer: this.row.id, body });
  }

  #sayEnd(): void {
    const { receipt, error, state } = this.row;
    const end = error ?? { code: 'cancelled', message: '' };
    if (receipt) {
      this.#process.machine.ledger.check(this.#process.machine.disk.receipts.has(`received ${this.row.id}`), 'ack after commit', () => `the receipt of ${this.row.id} is told before it is in the log`);
      return this.#say({ say: 'receipt', failed: 0 });
    }
    return this.#say({ say: state === 'rejected' ? 'reject' : state === 'failed' ? 'failed' : 'cancel', end });
  }

  #checkJournal(): void {
    const { ledger } = this.#process.machine;
    ledger.check(!isHeld(this.state), 'no content while a side holds it', () => `${this.row.id}: the journal is checked`);
    ledger.check(this.row.consented, 'nothing is stored without consent', () => this.row.id);
    ledger.check(this.#readers.size === 0, 'the journal is checked when no chunk can come', () => this.row.id);
    const check = (this.#check += 1);
    this.#checking = true;
    const files = (this.#files ??= new ReceivedFiles(this.#process, this.row.id, this.row.chunks));
    files.verify(() => this.#check !== check || isFinalState(this.state.state), (error) => {
      this.#checking = false;
      if (error) this.report({ type: 'local-failed', end: error });
      else this.report({ type: 'journal-checked' }, { when: () => this.#check === check });
    });
  }

  #sayHave(): void {
    const { link } = this.attendance;
    const files = this.#files;
    if (!link || !files) return;
    const check = this.#check;
    const have = files.have;
    const half = have & 0x55;
    this.#say({ say: 'have', chunks: half, last: false });
    this.#process.after(this.#process.machine.random.between(0, 2), () => {
      if (this.#check === check && this.attendance.link === link) this.#say({ say: 'have', chunks: have & ~half, last: true });
    });
  }

  #deliver(): void {
    const over = (): boolean => isFinalState(this.state.state);
    const alive = this.#files !== undefined;
    const files = (this.#files ??= new ReceivedFiles(this.#process, this.row.id, this.row.chunks));
    const go = (): void =>
      deliver({
        process: this.#process, transfer: this.row.id, files, chunks: this.row.chunks, givenUp: over,
        done: (outcome) => {
          if (outcome.kind === 'gaps') return this.report({ type: 'gaps', end: outcome.end });
          if (outcome.kind === 'failed') return this.report({ type: 'local-failed', end: outcome.end });
          return this.report({ type: 'placed', error: undefined }, { changing: () => (this.row = { ...this.row, receipt: true }) });
        },
      });
    if (alive || files.sealed) return go();
    files.verify(over, (error) => {
      if (error) this.report({ type: 'local-failed', end: error });
      else go();
    });
  }
}
