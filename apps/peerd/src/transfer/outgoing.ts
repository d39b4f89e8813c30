/**
 * A transfer that is sent from here: runs the sender's machine (packages/protocol, machines/transfer-sender.ts).
 *
 * 1. linked: the offer; the manifest as far as the receiver asks for it
 * 2. accept, have: which chunks are there already
 * 3. content: a slot, data connections, chunks; then source-complete
 * 4. receipt: the proof, and the end
 */
import {
  cancel, encodeMessage, failed, isFinalState, manifestPage, offer, type Offer, pause, pauseAck, PeerdError, type Progress, type Receipt, receiptAck, restoredSender, type SenderEffect,
  type SenderEvent, type SenderState, senderStep, sourceComplete, type StageTimes, type TransferMessage,
} from '@peerd/protocol';
import { HaveSet, Manifest } from '@peerd/transfer';
import type { Link } from '../peer/ports.ts';
import { abortable } from './abortable.ts';
import { Attendance } from './attendance.ts';
import { runContent } from './content-task.ts';
import { clipped, endOf, ownCancel } from './ends.ts';
import type { TransferEnvironment } from './environment.ts';
import { statePaths } from './layout.ts';
import { LiveRecord } from './live-record.ts';
import { checkReceipt } from './receipts.ts';
import type { TransferRecord } from './record.ts';
import { Runner } from './runner.ts';
import { saidToSender } from './said.ts';
import { Tasks } from './tasks.ts';

/** Pause before the offer is made again after a data connection was lost. */
const retryDelayMs = (losses: number): number => Math.min(5_000, 100 * 2 ** losses) * (0.75 + Math.random() / 2);

export class OutgoingTransfer {
  readonly record: TransferRecord;
  readonly #environment: TransferEnvironment;
  readonly #live: LiveRecord;
  readonly #runner: Runner<SenderState, SenderEvent, SenderEffect>;
  /** Ends when this object is no longer used. */
  readonly #life = new AbortController();
  readonly #attendance: Attendance;
  #have: HaveSet | undefined;
  /** By the last `accept`: which frames beside the plain ones it takes, and over how many data connections at a time. */
  #takes = { holes: false, compressed: false, connections: 1 };
  #manifest: Promise<Manifest> | undefined;
  #failuresLoaded: Promise<void> | undefined;
  #pages: AbortController | undefined;
  #content: AbortController | undefined;
  #retry: NodeJS.Timeout | undefined;
  readonly #tasks = new Tasks();

  /** @param taken called after each step */
  constructor(environment: TransferEnvironment, record: TransferRecord, taken: (transfer: OutgoingTransfer) => void) {
    this.record = record;
    this.#environment = environment;
    this.#live = new LiveRecord(environment, record, () => {});
    this.#runner = new Runner({
      state: restoredSender(record), step: senderStep, restored: restoredSender, commit: (next, waits, insisting) => this.#live.commit(next, waits, insisting), perform: (effect) => this.#perform(effect), taken: () => taken(this),
    });
    this.#attendance = new Attendance((event, options) => this.#runner.dispatch(event, { ...options, insisting: this.#life.signal }), this.#live.logger);
  }

  get stages(): StageTimes {
    return this.#live.stages;
  }

  get state(): SenderState {
    return this.#runner.state;
  }

  linked(link: Link): Promise<void> {
    return this.#attendance.linked(link);
  }

  unlinked(link: Link): Promise<void> {
    return this.#attendance.unlinked(link);
  }

  cancel(): Promise<void> {
    return this.#runner.dispatch({ type: 'local-cancel', end: ownCancel('send') });
  }

  /** Whether this side holds it from now on. */
  hold(paused: boolean): Promise<void> {
    return this.#runner.dispatch({ type: paused ? 'local-pause' : 'local-resume' });
  }

  forget(): Promise<void> {
    return this.#runner.dispatch({ type: 'forget' });
  }

  async message(link: Link, message: TransferMessage): Promise<void> {
    await this.linked(link);
    if (message.kind === 'progress') return this.#progress(message.body);
    if (message.kind === 'receipt') return this.#receipt(link, message.body);
    if (message.kind === 'accept') this.#takes = { holes: message.body.holes ?? false, compressed: message.body.compressed ?? false, connections: message.body.connections ?? 1 };
    const event = saidToSender(message, this.record.offerRoot);
    if (event) await this.#runner.dispatch(event, { when: () => this.#attendance.link === link });
  }

  /** Ends every task, keeps the state on disk. */
  async close(): Promise<void> {
    this.#life.abort(new PeerdError('shutting_down', 'the daemon is stopping'));
    this.#stop();
    await this.#tasks.ended();
    this.#live.quiet();
    await (await this.#manifest?.catch(() => undefined))?.close();
    this.#manifest = undefined;
    if (!isFinalState(this.state.state)) await this.#live.save(false);
  }

  #perform(effect: SenderEffect): void {
    switch (effect.do) {
      case 'say-offer':
        return this.#say(encodeMessage(offer, this.#offer()));
      case 'say-pause':
        return this.#say(encodeMessage(pause, { transfer: this.record.id, paused: this.record.pausedHere }));
      case 'say-pause-ack':
        return this.#say(encodeMessage(pauseAck, { transfer: this.record.id }));
      case 'send-pages':
        return this.#sendPages(effect.fromPage);
      case 'begin-have':
        this.#have = new HaveSet(this.record.chunks);
        return;
      case 'add-have':
        return this.#addHave(effect.page.start, effect.page.hashes);
      case 'start-content':
        return this.#startContent();
      case 'stop-content':
        this.#content?.abort(new PeerdError('cancelled', 'this round of content was given up'));
        this.#content = undefined;
        return;
      case 'retry-later':
        clearTimeout(this.#retry);
        this.#retry = setTimeout(() => this.#report({ type: 'retry' }), retryDelayMs(effect.losses));
        return;
      case 'say-source-complete':
        if (this.record.contentRoot) this.#say(encodeMessage(sourceComplete, { transfer: this.record.id, contentRoot: this.record.contentRoot, chunksSent: this.record.sent }));
        return;
      case 'say-end':
        return this.#sayEnd();
      case 'say-receipt-ack':
        return this.#say(encodeMessage(receiptAck, { transfer: this.record.id }));
    }
  }

  #offer(): Offer {
    const { id, group, note, entries, bytes, pages, manifestBytes, offerRoot, chunkSize, conflict, pausedHere } = this.record;
    return {
      transfer: id, ...(group === undefined ? {} : { group }), ...(note === undefined ? {} : { note }), entries, bytes, pages, manifestBytes, offerRoot, chunkSize, conflict,
      ...(pausedHere ? { paused: true } : {}),
    };
  }

  #sayEnd(): void {
    const { id, state, error } = this.record;
    this.#say(
      state === 'failed' && error
        ? encodeMessage(failed, { transfer: id, code: error.code, message: clipped(error.message) })
        : encodeMessage(cancel, { transfer: id, message: clipped(error?.message ?? '') }),
    );
  }

  #say(frame: Buffer): void {
    if (this.#attendance.link) this.#environment.posts.post(this.#attendance.link, frame);
  }

  #sendPages(fromPage: number): void {
    const link = this.#attendance.link;
    if (!link) return;
    this.#pages?.abort();
    const pages = new AbortController();
    this.#pages = pages;
    this.#tasks.run(async () => {
      try {
        const manifest = await this.#openManifest();
        for (let index = fromPage; index < this.record.pages && !isFinalState(this.state.state); index += 1)
          await abortable(link.send(encodeMessage(manifestPage, { transfer: this.record.id, index, page: await manifest.page(index) })), pages.signal);
      } catch (error) {
        if (!link.signal.aborted && !pages.signal.aborted) this.#report({ type: 'local-failed', end: endOf(error) });
      }
    });
  }

  #addHave(start: number, hashes: Uint8Array): void {
    try {
      if (hashes.byteLength > 0) this.#have?.add(start, hashes);
    } catch (error) {
      this.#report({ type: 'local-failed', end: endOf(error) });
    }
  }

  #startContent(): void {
    const link = this.#attendance.link;
    const have = this.#have;
    if (!link || !have) return;
    const content = new AbortController();
    this.#content = content;
    this.#have = undefined;
    const mine = { when: (): boolean => this.#content === content };
    const stopped = (): void => content.abort(this.#life.signal.reason);
    this.#life.signal.addEventListener('abort', stopped, { once: true });
    this.#tasks.run(async () => {
      try {
        this.#failuresLoaded ??= this.#live.loadFailures();
        const [manifest] = await Promise.all([this.#openManifest(), this.#failuresLoaded]);
        const outcome = await runContent(this.#environment, this.#live, {
          link, manifest, have, ...this.#takes, signal: content.signal, onOpen: () => this.#report({ type: 'content-started' }, mine),
        });
        if (outcome.kind === 'sent') this.#report({ type: 'content-sent' }, { ...mine, changing: () => (this.record.contentRoot = outcome.contentRoot) });
        else if (outcome.kind === 'failed') this.#report({ type: 'local-failed', end: outcome.end }, mine);
        else if (outcome.kind === 'lost') {
          this.#live.logger.warn({ err: outcome.cause }, 'transfer: a data connection was lost');
          this.#report({ type: 'content-lost', progressed: outcome.progressed }, mine);
        }
      } catch (error) {
        this.#report({ type: 'local-failed', end: endOf(error) }, mine);
      } finally {
        this.#life.signal.removeEventListener('abort', stopped);
      }
    });
  }

  #progress(body: Progress): void {
    const { record } = this;
    if (isFinalState(record.state)) return;
    record.bytesDone = Math.min(record.bytes, body.bytesDone);
    record.received = body.received;
    record.reused = body.reused;
    record.rewritten = body.rewritten;
    if (body.writeMs !== undefined) this.#live.remoteWrote(body.writeMs);
    this.#live.progressed();
  }

  async #receipt(link: Link, receipt: Receipt): Promise<void> {
    const { record } = this;
    const { identity, receipts } = this.#environment;
    const body = checkReceipt(record, identity.id, link.publicKey, receipt);
    // One is kept: a receiver could sign any number.
    if (body && !record.receipt && !(await receipts.find({ role: 'sent', peer: record.peer, transfer: record.id })))
      await receipts.append({ role: 'sent', body: Buffer.from(receipt.body), signature: Buffer.from(receipt.signature), signer: link.publicKey });
    const keep = (): void => {
      if (!body) return;
      record.receipt = { body: Buffer.from(receipt.body), signature: Buffer.from(receipt.signature) };
      record.savedAs = receipt.savedAs.map((name) => Buffer.from(name));
      record.skipped = body.skipped ?? 0;
      if (body.failed === 0) record.bytesDone = record.bytes;
    };
    await this.#runner.dispatch({ type: 'receipt', valid: body !== undefined, failed: body?.failed ?? 0 }, { when: () => this.#attendance.link === link, changing: keep });
  }

  #openManifest(): Promise<Manifest> {
    this.#manifest ??= Manifest.open(statePaths(this.#environment.settings.stateDir, this.record).manifest, this.record.chunkSize);
    return this.#manifest;
  }

  /** For events that nobody waits for, or would say again. */
  #report(event: SenderEvent, options: Parameters<Runner<SenderState, SenderEvent, SenderEffect>['dispatch']>[1] = {}): void {
    this.#runner.dispatch(event, { ...options, insisting: this.#life.signal }).catch((error: unknown) => this.#live.logger.error({ err: error, event: event.type }, 'transfer: a step could not be taken'));
  }

  #stop(): void {
    clearTimeout(this.#retry);
    this.#pages?.abort();
    this.#content?.abort(new PeerdError('shutting_down', 'the daemon is stopping'));
  }
}
