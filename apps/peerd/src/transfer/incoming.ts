/**
 * A transfer that comes here: runs the receiver's machine (packages/protocol, machines/transfer-receiver.ts).
 *
 * 1. offer: the manifest is asked for and stored; somebody decides
 * 2. accept: staging and journal are opened, what they hold is checked, and `have` says so
 * 3. content: data connections are read
 * 4. delivery: everything is placed, and the receipt goes out until it is confirmed
 */
import {
  accept, encodeMessage, type EntryFailed, expectsData, isFinalState, type ManifestPage, manifestRequest, newReceiver, offered, PeerdError, type ReceiverEffect,
  type ReceiverEvent, type ReceiverState, receiverStep, restoredReceiver, type StageTimes, type TransferMessage,
} from '@peerd/protocol';
import type { DataConnection, Link } from '../peer/ports.ts';
import { readContent } from './content-reader.ts';
import { deliver } from './delivery.ts';
import { clipped, endOf, ownCancel, saidCancel, saidEnd } from './ends.ts';
import type { TransferEnvironment } from './environment.ts';
import { makeStateDirectory } from './layout.ts';
import { LiveRecord } from './live-record.ts';
import { ManifestIntake, topLevelOf } from './manifest-intake.ts';
import { ReceivedContent } from './received-content.ts';
import { ReceiverVoice, sayHave } from './receiver-voice.ts';
import type { TransferRecord } from './record.ts';
import { type DispatchOptions, Runner } from './runner.ts';

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
  #link: Link | undefined;
  #announced: Link | undefined;
  #intake: Promise<ManifestIntake> | undefined;
  readonly #content: ReceivedContent;
  readonly #voice: ReceiverVoice;
  readonly #connections = new Set<DataConnection>();
  readonly #tasks = new Set<Promise<void>>();

  /** @param fresh made just now by an offer; else it comes from the disk */
  constructor(environment: TransferEnvironment, record: TransferRecord, hooks: IncomingHooks, fresh: boolean) {
    this.record = record;
    this.#environment = environment;
    this.#hooks = hooks;
    this.#live = new LiveRecord(environment, record, () => {
      this.#content.count();
      this.#voice.progress(this.#link);
    });
    this.#content = new ReceivedContent(environment, this.#live);
    this.#voice = new ReceiverVoice(environment.posts, this.#live);
    this.#runner = new Runner({
      state: fresh ? { ...newReceiver, linked: false } : restoredReceiver(record), step: receiverStep, commit: (next) => this.#live.commit(next),
      perform: (effect) => this.#perform(effect), taken: () => this.#taken(),
    });
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

  async linked(link: Link): Promise<void> {
    if (this.#announced === link || link.signal.aborted) return;
    if (this.#announced) this.unlinked(this.#announced).catch((error: unknown) => this.#live.logger.error({ err: error }, 'transfer: the end of a link was not taken'));
    this.#announced = link;
    try {
      await this.#runner.dispatch({ type: 'linked' }, { when: () => !link.signal.aborted, first: () => (this.#link = link) });
    } catch (error) {
      // Then the next message of this link announces it again.
      if (this.#announced === link) this.#announced = undefined;
      throw error;
    }
  }

  unlinked(link: Link): Promise<void> {
    if (this.#announced === link) this.#announced = undefined;
    return this.#runner.dispatch({ type: 'unlinked' }, { when: () => this.#link === link, first: () => (this.#link = undefined) });
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

  fail(error: unknown): Promise<void> {
    return this.#runner.dispatch({ type: 'local-failed', end: endOf(error) });
  }

  forget(): Promise<void> {
    return this.#runner.dispatch({ type: 'forget' });
  }

  async message(link: Link, message: TransferMessage): Promise<void> {
    await this.linked(link);
    const current = { when: (): boolean => this.#link === link };
    switch (message.kind) {
      case 'offer':
        return this.#runner.dispatch({ type: 'offer' }, current);
      case 'manifest-page':
        return this.#page(message.body);
      case 'entry-failed':
        return this.#entryFailed(message.body);
      case 'source-complete': {
        const { contentRoot, chunksSent } = message.body;
        return this.#runner.dispatch({ type: 'source-complete' }, { ...current, first: () => this.#sourceComplete(contentRoot, chunksSent) });
      }
      case 'receipt-ack':
        return this.#runner.dispatch({ type: 'receipt-ack' }, current);
      case 'cancel':
        return this.#runner.dispatch({ type: 'cancel', end: saidCancel(message.body, 'sender') }, current);
      case 'failed':
        return this.#runner.dispatch({ type: 'failed', end: saidEnd(message.body) }, current);
      default:
    }
  }

  expectsData(): boolean {
    return expectsData(this.state);
  }

  dataOpened(link: Link, connection: DataConnection): void {
    const receiver = this.#content.receiver;
    if (!receiver || link !== this.#link || !this.expectsData()) {
      connection.destroy(new PeerdError('unexpected_message', 'no content is expected now'));
      return;
    }
    this.#run(async () => {
      let taken = false;
      // What is announced before it may void this round.
      await this.#runner.dispatch({ type: 'data-opened' }, { when: () => this.#link === link && this.expectsData(), first: () => (taken = this.#connections.add(connection).has(connection)) });
      if (!taken) return connection.destroy(new PeerdError('unexpected_message', 'no content is expected now'));
      const error = await readContent(connection, receiver, { clock: this.#live.clock, onFrame: () => this.#live.progressed() });
      this.#connections.delete(connection);
      if (error !== undefined && !this.#life.signal.aborted) this.#report({ type: 'local-failed', end: endOf(error) });
      this.#report({ type: 'data-closed' });
    });
  }

  /** Ends every task, keeps the state on disk. */
  async close(): Promise<void> {
    this.#life.abort(new PeerdError('shutting_down', 'the daemon is stopping'));
    this.#closeData();
    await Promise.all(this.#tasks);
    this.#live.quiet();
    await this.#closeFiles();
    if (!isFinalState(this.state.state)) await this.#live.save(false);
  }

  #perform(effect: ReceiverEffect): void {
    const transfer = this.record.id;
    switch (effect.do) {
      case 'request-manifest':
        return this.#requestManifest();
      case 'say-offered':
        return this.#voice.say(this.#link, encodeMessage(offered, { transfer }));
      case 'say-accept':
        return this.#voice.say(this.#link, encodeMessage(accept, { transfer, offerRoot: this.record.offerRoot }));
      case 'check-journal':
        return this.#checkJournal();
      case 'say-have':
        return this.#sayHave();
      case 'close-data':
        return this.#closeData();
      case 'finish':
        return this.#deliver();
      case 'say-end':
        return this.#voice.end(this.#link);
    }
  }

  #taken(): void {
    if (isFinalState(this.state.state) && !this.#life.signal.aborted) this.#tidy();
    this.#hooks.taken(this);
  }

  #requestManifest(): void {
    this.#intake ??= makeStateDirectory(this.#environment.settings.stateDir, this.record).then(({ manifest }) => ManifestIntake.open(manifest, this.record));
    const intake = this.#intake;
    this.#attempt(async () => {
      const { nextPage } = await intake;
      this.#voice.say(this.#link, encodeMessage(manifestRequest, { transfer: this.record.id, fromPage: nextPage }));
    });
  }

  /** Awaited by the reader of the link: pages come no faster than they are stored. */
  async #page(page: ManifestPage): Promise<void> {
    if (this.state.state !== 'queued' || !this.#intake) return;
    try {
      const intake = await this.#intake;
      await intake.take(page);
      if (intake.nextPage < this.record.pages) return;
      const { chunks } = await intake.finish();
      this.#intake = undefined;
      const topLevel = await topLevelOf(await this.#content.manifest());
      await this.#runner.dispatch({ type: 'manifest-stored' }, { changing: () => Object.assign(this.record, { chunks, topLevel }) });
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
    this.#attempt(async () => {
      const receiver = await this.#content.open();
      await this.#content.verify(receiver, this.#life.signal);
      this.#voice.progress(this.#link);
      this.#report({ type: 'journal-checked' });
    });
  }

  #sayHave(): void {
    const link = this.#link;
    const { receiver } = this.#content;
    if (link && receiver) this.#run(async () => {
      try {
        await sayHave(link, this.record.id, receiver, this.#life.signal);
      } catch (error) {
        if (!link.signal.aborted && !this.#life.signal.aborted) this.#report({ type: 'local-failed', end: endOf(error) });
      }
    });
  }

  #closeData(): void {
    for (const connection of this.#connections) connection.destroy(new PeerdError('link_lost', 'this round of content is over'));
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
    const intake = await this.#intake?.catch(() => undefined);
    this.#intake = undefined;
    await intake?.discard();
    await this.#content.close();
  }

  /** After the end: closes and removes what is left, once everything that is under way has seen it. */
  #tidy(): void {
    this.#life.abort(new PeerdError('cancelled', 'the transfer is over'));
    const before = [...this.#tasks];
    this.#run(async () => {
      try {
        await Promise.all(before);
        await this.#closeFiles();
        if (this.record.cleaned) return;
        await this.#content.discard();
        this.record.cleaned = true;
        await this.#live.save(false);
      } catch (error) {
        this.#live.logger.error({ err: error }, 'transfer: what is left of it cannot be removed');
      }
      this.#hooks.taken(this);
    });
  }

  /** A task whose failure is the end of the transfer, unless it was given up. */
  #attempt(task: () => Promise<void>): void {
    this.#run(async () => {
      try {
        await task();
      } catch (error) {
        if (!this.#life.signal.aborted) this.#report({ type: 'local-failed', end: endOf(error) });
      }
    });
  }

  #report(event: ReceiverEvent, options: DispatchOptions = {}): void {
    this.#runner.dispatch(event, options).catch((error: unknown) => this.#live.logger.error({ err: error, event: event.type }, 'transfer: a step could not be taken'));
  }

  #run(task: () => Promise<void>): void {
    const running = task().finally(() => this.#tasks.delete(running));
    this.#tasks.add(running);
  }
}
