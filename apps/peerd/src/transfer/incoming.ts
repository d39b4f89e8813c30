/**
 * A transfer that comes here: runs the receiver's machine (packages/protocol, machines/transfer-receiver.ts).
 *
 * 1. offer: the manifest is asked for and stored; somebody decides
 * 2. accept: staging and journal are opened, what they hold is checked, and `have` says so
 * 3. content: data connections are read
 * 4. delivery: everything is placed, and the receipt goes out until it is confirmed
 */
import {
  accept, dataConnectionsTaken, encodeMessage, type EntryFailed, expectsData, isFinalState, type ManifestPage, manifestRequest, newReceiver, offered, pause, pauseAck, PeerdError, type ReceiverEffect,
  type ReceiverEvent, type ReceiverState, receiverStep, restoredReceiver, type StageTimes, type TransferMessage,
} from '@peerd/protocol';
import { insist } from '../net/insist.ts';
import type { DataConnection, Link } from '../peer/ports.ts';
import { Attendance } from './attendance.ts';
import { ContentReaders } from './content-readers.ts';
import { deliver } from './delivery.ts';
import { clipped, endOf, ownCancel, saidEnd } from './ends.ts';
import type { TransferEnvironment } from './environment.ts';
import { LiveRecord } from './live-record.ts';
import { ManifestArrival } from './manifest-arrival.ts';
import { topLevelOf } from './manifest-intake.ts';
import { ReceivedContent } from './received-content.ts';
import { ReceiverVoice, sayHave } from './receiver-voice.ts';
import type { TransferRecord } from './record.ts';
import { type DispatchOptions, Runner } from './runner.ts';
import { saidToReceiver } from './said.ts';
import { Tasks } from './tasks.ts';
import { addedTraffic } from './traffic.ts';

export interface IncomingHooks {
  /** After each step. */
  taken(transfer: IncomingTransfer): void;
  /** The manifest is here: a policy may decide at once. */
  offered(transfer: IncomingTransfer): Promise<void>;
}

export class IncomingTransfer {
  readonly record: TransferRecord;
  readonly #environment: TransferEnvironment;
  readonly #hooks: IncomingHooks;
  readonly #live: LiveRecord;
  readonly #runner: Runner<ReceiverState, ReceiverEvent, ReceiverEffect>;
  /** Ends when the transfer ends or this object is no longer used. */
  readonly #life = new AbortController();
  /** Ends when this object is no longer used. */
  readonly #use = new AbortController();
  readonly #attendance: Attendance;
  readonly #arrival: ManifestArrival;
  readonly #content: ReceivedContent;
  readonly #voice: ReceiverVoice;
  readonly #readers = new ContentReaders();
  /** Of the journal. Aborts when it is given up. */
  #check = new AbortController();
  readonly #tasks = new Tasks();

  /** @param fresh made just now by an offer; else it comes from the disk */
  constructor(environment: TransferEnvironment, record: TransferRecord, hooks: IncomingHooks, fresh: boolean) {
    this.record = record;
    this.#environment = environment;
    this.#hooks = hooks;
    this.#live = new LiveRecord(environment, record, () => {
      this.#content.count();
      this.#voice.progress(this.#attendance.link);
    });
    this.#arrival = new ManifestArrival(environment.settings.stateDir, record);
    this.#content = new ReceivedContent(environment, this.#live);
    this.#voice = new ReceiverVoice(environment.posts, this.#live);
    this.#runner = new Runner({
      state: fresh ? { ...newReceiver, linked: false } : restoredReceiver(record), step: receiverStep, restored: restoredReceiver, commit: (next, waits, insisting) => this.#live.commit(next, waits, insisting),
      perform: (effect) => this.#perform(effect), taken: () => this.#taken(),
    });
    this.#attendance = new Attendance((event, options) => this.#runner.dispatch(event, { ...options, insisting: this.#use.signal }), this.#live.logger);
  }

  get stages(): StageTimes {
    return this.#live.stages;
  }

  get state(): ReceiverState {
    return this.#runner.state;
  }

  /** Goes on where an earlier run of the daemon was. */
  restart(): Promise<void> {
    if (isFinalState(this.state.state)) this.#tidy();
    return this.#runner.dispatch({ type: 'restarted' });
  }

  linked(link: Link): Promise<void> {
    return this.#attendance.linked(link);
  }

  unlinked(link: Link): Promise<void> {
    return this.#attendance.unlinked(link);
  }

  /** @param destination absolute; was checked */
  accept(destination: string): Promise<void> {
    return this.#runner.dispatch({ type: 'local-accept' }, { changing: () => (this.record.destination = destination) });
  }

  reject(reason: string): Promise<void> {
    return this.#runner.dispatch({ type: 'local-reject', end: { code: 'rejected', message: clipped(reason) } });
  }

  cancel(): Promise<void> {
    return this.#runner.dispatch({ type: 'local-cancel', end: ownCancel('receive') });
  }

  /** Whether this side holds it from now on. */
  hold(paused: boolean): Promise<void> {
    return this.#runner.dispatch({ type: paused ? 'local-pause' : 'local-resume' });
  }

  fail(error: unknown): Promise<void> {
    return this.#runner.dispatch({ type: 'local-failed', end: endOf(error) }, { insisting: this.#use.signal });
  }

  forget(): Promise<void> {
    return this.#runner.dispatch({ type: 'forget' });
  }

  async message(link: Link, message: TransferMessage): Promise<void> {
    await this.linked(link);
    const current = { when: (): boolean => this.#attendance.link === link };
    switch (message.kind) {
      case 'manifest-page':
        return this.#page(message.body);
      case 'entry-failed':
        return this.#entryFailed(message.body);
      case 'source-complete': {
        const { contentRoot, chunksSent } = message.body;
        return this.#runner.dispatch({ type: 'source-complete' }, { ...current, first: () => this.#sourceComplete(contentRoot, chunksSent) });
      }
      default: {
        const event = saidToReceiver(message);
        if (event) await this.#runner.dispatch(event, current);
      }
    }
  }

  expectsData(): boolean {
    return expectsData(this.state);
  }

  /** Its manifest is not complete. */
  get awaitsPages(): boolean {
    return this.state.state === 'queued';
  }

  dataOpened(link: Link, connection: DataConnection): void {
    const { round } = this.state;
    this.#readers.read(connection, {
      receiver: this.#content.receiver, clock: this.#live.clock,
      onFrame: (traffic) => {
        this.record.traffic = addedTraffic(this.record.traffic, traffic);
        this.#environment.metrics.wire('receive', traffic.wireBytes);
        this.#live.progressed();
      },
      // What is announced before it may void this round.
      admit: (take) => this.#runner.dispatch({ type: 'data-opened' }, { when: () => this.#attendance.link === link && this.state.round === round && this.expectsData(), first: take }),
      onEnd: (error) => {
        if (error !== undefined && !this.#life.signal.aborted) this.#report({ type: 'local-failed', end: endOf(error) });
        this.#report({ type: 'data-closed' });
      },
    });
  }

  /** Ends every task, keeps the state on disk. */
  async close(): Promise<void> {
    this.#life.abort(new PeerdError('shutting_down', 'the daemon is stopping'));
    this.#use.abort();
    this.#readers.close();
    await Promise.all([this.#tasks.ended(), this.#readers.ended()]);
    this.#live.quiet();
    await this.#closeFiles();
    if (!isFinalState(this.state.state)) await this.#live.save(false);
  }

  #perform(effect: ReceiverEffect): void {
    const transfer = this.record.id;
    switch (effect.do) {
      case 'request-manifest':
        return this.#attempt(async () => this.#voice.say(this.#attendance.link, encodeMessage(manifestRequest, { transfer, fromPage: await this.#arrival.nextPage() })));
      case 'say-offered':
        return this.#voice.say(this.#attendance.link, encodeMessage(offered, { transfer }));
      case 'say-accept':
        return this.#voice.say(this.#attendance.link, encodeMessage(accept, { transfer, offerRoot: this.record.offerRoot, holes: true, compressed: true, connections: dataConnectionsTaken }));
      case 'say-pause':
        return this.#voice.say(this.#attendance.link, encodeMessage(pause, { transfer, paused: this.record.pausedHere }));
      case 'say-pause-ack':
        return this.#voice.say(this.#attendance.link, encodeMessage(pauseAck, { transfer }));
      case 'check-journal':
        return this.#checkJournal();
      case 'say-have':
        return this.#sayHave();
      case 'close-data':
        return this.#readers.close();
      case 'rest':
        this.#check.abort(new PeerdError('cancelled', 'the transfer is paused'));
        return this.#tasks.run(() => this.#content.rest(this.#readers.ended()));
      case 'finish':
        return this.#deliver();
      case 'say-end':
        return this.#voice.end(this.#attendance.link);
    }
  }

  #taken(): void {
    if (isFinalState(this.state.state) && !this.#life.signal.aborted) this.#tidy();
    this.#hooks.taken(this);
  }

  /** Awaited by the reader of the link: pages come no faster than they are stored. */
  async #page(page: ManifestPage): Promise<void> {
    if (this.state.state !== 'queued') return;
    try {
      const whole = await this.#arrival.take(page);
      if (!whole) return;
      const topLevel = await topLevelOf(await this.#content.manifest());
      await this.#runner.dispatch({ type: 'manifest-stored' }, { insisting: this.#use.signal, changing: () => Object.assign(this.record, whole, { topLevel }) });
    } catch (error) {
      await this.fail(error);
      return;
    }
    await this.#hooks.offered(this);
  }

  #entryFailed({ entry, code, message }: EntryFailed): void {
    if (entry >= this.record.entries) throw new PeerdError('malformed_frame', `entry-failed: there is no entry ${entry}`);
    if (!this.#content.receiver || isFinalState(this.state.state)) return;
    const end = saidEnd({ code, message });
    this.#live.addFailure({ entry, ...end });
    this.#content.receiver.entryFailed(entry, end.code, end.message);
  }

  #sourceComplete(contentRoot: Uint8Array, chunksSent: number): void {
    if (isFinalState(this.state.state) || this.state.state === 'verifying') return;
    this.record.contentRoot = Buffer.from(contentRoot);
    this.record.sent = chunksSent;
  }

  #checkJournal(): void {
    const check = new AbortController();
    this.#check = check;
    this.#attempt(async () => {
      await this.#content.check(AbortSignal.any([this.#life.signal, check.signal]));
      this.#voice.progress(this.#attendance.link);
      this.#report({ type: 'journal-checked' }, { when: () => !check.signal.aborted });
    }, check.signal);
  }

  #sayHave(): void {
    const { link } = this.#attendance;
    const { receiver } = this.#content;
    const { signal } = this.#check;
    if (link && receiver) this.#attempt(() => sayHave(link, this.record.id, receiver, AbortSignal.any([this.#life.signal, signal])), AbortSignal.any([signal, link.signal]));
  }

  #deliver(): void {
    this.#attempt(async () => {
      const manifest = await this.#content.manifest();
      const alive = this.#content.receiver !== undefined;
      const receiver = await this.#content.open();
      if (!alive && !receiver.sealed) await this.#content.verify(receiver, this.#life.signal);
      const outcome = await deliver(this.#environment, this.#live, { manifest, receiver, signal: this.#life.signal });
      this.#content.count();
      if (outcome.kind === 'gaps') return this.#report({ type: 'gaps', end: outcome.end });
      if (outcome.kind === 'failed') return this.#report({ type: 'local-failed', end: outcome.end });
      const { receipt: signed, savedAs, skipped, error } = outcome;
      this.#report({ type: 'placed', error }, { changing: () => Object.assign(this.record, { receipt: signed, savedAs, skipped, skippedRuns: receiver.skipped, ...(error ? {} : { bytesDone: this.record.bytes }) }) });
    });
  }

  async #closeFiles(): Promise<void> {
    await this.#arrival.discard();
    await this.#content.close();
  }

  /** After the end: closes and removes what is left, once everything that is under way has seen it. */
  #tidy(): void {
    this.#life.abort(new PeerdError('cancelled', 'the transfer is over'));
    const before = [this.#tasks.ended(), this.#readers.ended()];
    this.#tasks.run(async () => {
      await Promise.all(before);
      const onFailure = (error: unknown): void => this.#live.logger.error({ err: error }, 'transfer: what is left of it cannot be removed now');
      // A disk that is full or read-only today may be well tomorrow.
      await insist(() => this.#clean(), { signal: this.#use.signal, onFailure }).then(() => this.#hooks.taken(this), () => {});
    });
  }

  async #clean(): Promise<void> {
    await this.#closeFiles();
    if (this.record.cleaned) return;
    await this.#content.discard();
    this.record.cleaned = true;
    try {
      await this.#live.save(false);
    } catch (error) {
      this.record.cleaned = false;
      throw error;
    }
  }

  /** A task whose failure is the end of the transfer, unless it was given up. */
  #attempt(task: () => Promise<void>, givenUp?: AbortSignal): void {
    this.#tasks.run(async () => {
      try {
        await task();
      } catch (error) {
        if (!this.#life.signal.aborted && givenUp?.aborted !== true) this.#report({ type: 'local-failed', end: endOf(error) });
      }
    });
  }

  /** For events that nobody waits for, or would say again. */
  #report(event: ReceiverEvent, options: DispatchOptions = {}): void {
    this.#runner.dispatch(event, { ...options, insisting: this.#use.signal }).catch((error: unknown) => this.#live.logger.error({ err: error, event: event.type }, 'transfer: a step could not be taken'));
  }
}
