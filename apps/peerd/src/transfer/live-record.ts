/** The record of a transfer that is at work: kept true on disk, in the events and in the metrics. */
import { type ControlEvent, escapeText, isFinalState, shownState, type StageTimes, type TransferCore } from '@peerd/protocol';
import type { Logger } from '@peerd/service';
import { StageClock } from '@peerd/transfer';
import { insist } from '../net/insist.ts';
import type { TransferEnvironment } from './environment.ts';
import type { TransferRecord } from './record.ts';
import { addedStages, stagesSince } from './stages.ts';
import type { Failure } from './store.ts';
import { Throttle } from './throttle.ts';
import { savedAsOf, summaryOf } from './view.ts';

/** Progress is shown at most so often. */
const progressIntervalMs = 250;
/** What only counts may be behind on disk by so much. */
const saveIntervalMs = 2_000;

/** Failed entries of one transfer that are worth a warning each. */
const loggedFailures = 20;

export class LiveRecord {
  readonly record: TransferRecord;
  readonly clock: StageClock = new StageClock();
  readonly logger: Logger;
  /** Entries that failed, by manifest index. */
  readonly failures: Map<number, Failure> = new Map();
  readonly #environment: TransferEnvironment;
  readonly #progress: Throttle;
  readonly #saving: Throttle;
  readonly #earlierStages: StageTimes;
  /** What the receiver said of its disk. */
  #remoteWrite: number | undefined;
  #countedStages: StageTimes;
  /** By the clock of `environment.now`; while a side holds the transfer. */
  #pausedSince: number | undefined;
  #unsaved: Failure[] = [];
  #quiet = false;

  constructor(environment: TransferEnvironment, record: TransferRecord, beforeProgress: () => void) {
    this.#environment = environment;
    this.record = record;
    this.#earlierStages = record.stages;
    this.#countedStages = record.stages;
    // The stages were stored together with the time up to which they count.
    if (isHeld(record) && !isFinalState(record.state)) this.#pausedSince = record.updatedAt;
    this.logger = environment.logger.child({ peer: record.peer, transfer: record.id, direction: record.direction });
    this.#progress = new Throttle(progressIntervalMs, () => {
      beforeProgress();
      environment.events.publish(this.#progressEvent());
    });
    this.#saving = new Throttle(saveIntervalMs, () => {
      this.#saveLater(false);
    });
  }

  /** Up to now, with those of earlier runs of the daemon. */
  get stages(): StageTimes {
    const stages = addedStages(this.#earlierStages, this.clock.times);
    if (this.#pausedSince !== undefined) stages.paused += Math.max(0, this.#environment.now() - this.#pausedSince);
    if (this.#remoteWrite !== undefined) stages.write = this.#remoteWrite;
    return stages;
  }

  /** At the sender, `write` is the time of the receiver's disk: over all of its runs, and no more than has passed. */
  remoteWrote(ms: number): void {
    const { decidedAt, createdAt } = this.record;
    this.#remoteWrite = Math.max(this.stages.write, Math.min(ms, this.#environment.now() - (decidedAt ?? createdAt)));
  }

  /** Stores and publishes the state that a step leads to. @param waits until it is stored @param insisting until that succeeds or the signal aborts @throws PeerdError; the record is as before then */
  async commit(next: TransferCore, waits: boolean, insisting?: AbortSignal): Promise<void> {
    const { record } = this;
    const before = { ...record };
    const now = this.#environment.now();
    const changed = record.state !== next.state;
    const shown = changed || record.pausedHere !== next.pausedHere || record.pausedThere !== next.pausedThere;
    if (changed) this.#countDecision(next, now);
    this.#countPause(isHeld(next) && !isFinalState(next.state), now);
    record.state = next.state;
    record.untold = next.untold;
    record.error = next.error;
    record.pausedHere = next.pausedHere;
    record.pausedThere = next.pausedThere;
    const ended = changed && isFinalState(next.state);
    if (ended) record.finishedAt = now;
    if (waits) {
      try {
        if (insisting) await insist(() => this.save(true), { signal: insisting, onFailure: (error) => this.#notStored(error) });
        else await this.save(true);
      } catch (error) {
        Object.assign(record, before);
        throw error;
      }
    } else this.#saveLater();
    if (!shown) return;
    this.logger.info({ state: shownState(record), ...(record.error ? { code: record.error.code, reason: escapeText(record.error.message) } : {}) }, 'transfer: state changed');
    if (ended) this.#countEnd();
    this.publish();
    if (ended && record.direction === 'receive' && record.savedAs.some((name) => name.length > 0)) this.#environment.onReceived(record);
  }

  #saveLater(late = true): void {
    this.save(late).catch((error: unknown) => this.#notStored(error));
  }

  #notStored(error: unknown): void {
    this.logger.error({ err: error }, 'transfer: its state cannot be stored now');
  }

  async save(late: boolean): Promise<void> {
    const { record } = this;
    const { store, now } = this.#environment;
    record.stages = this.stages;
    record.updatedAt = now();
    const failures = this.#unsaved;
    this.#unsaved = [];
    try {
      if (failures.length > 0) await store.addFailures(record, failures);
      await store.save(record, late);
    } catch (error) {
      this.#unsaved = [...failures, ...this.#unsaved];
      throw error;
    }
  }

  addFailure(failure: Failure): void {
    if (this.failures.has(failure.entry)) return;
    this.failures.set(failure.entry, failure);
    this.#unsaved.push(failure);
    const level = this.failures.size <= loggedFailures ? 'warn' : 'debug';
    this.logger[level]({ entry: failure.entry, code: failure.code, reason: escapeText(failure.message) }, 'transfer: an entry failed');
  }

  /** Those of earlier runs of the daemon. */
  async loadFailures(): Promise<void> {
    for (const failure of await this.#environment.store.failures(this.record)) this.failures.set(failure.entry, failure);
  }

  /** Something was counted. */
  progressed(): void {
    if (this.#quiet) return;
    this.#progress.touch();
    this.#saving.touch();
  }

  publish(): void {
    const { record } = this;
    const event: ControlEvent = { kind: 'transfer', transfer: summaryOf(record, this.#environment.nameOf(record)) };
    this.#environment.events.publish(record.state === 'done' ? { ...event, savedAs: savedAsOf(record) } : event);
  }

  /** Nothing is published or stored later by itself. */
  quiet(): void {
    this.#quiet = true;
    this.#progress.stop();
    this.#saving.stop();
  }


  /** The time until somebody decided is a stage like the others. */
  #countDecision(next: TransferCore, now: number): void {
    const { record } = this;
    if (next.state === 'offered') record.offeredAt ??= now;
    // A sender may hear of the decision before it has heard that the offer is there.
    if (next.state === 'accepted' || next.state === 'rejected') record.offeredAt ??= now;
    const decided =
      record.direction === 'receive' ? record.state === 'offered' : next.state === 'accepted' || next.state === 'rejected' || (record.state === 'offered' && isFinalState(next.state));
    if (!decided || record.offeredAt === undefined || record.decidedAt !== undefined) return;
    record.decidedAt = now;
    this.clock.add('waiting', Math.max(0, now - record.offeredAt));
  }

  #countPause(held: boolean, now: number): void {
    if (held) this.#pausedSince ??= now;
    else if (this.#pausedSince !== undefined) {
      this.clock.add('paused', Math.max(0, now - this.#pausedSince));
      this.#pausedSince = undefined;
    }
  }

  #countEnd(): void {
    const { record } = this;
    this.quiet();
    this.#environment.metrics.finished(record.direction, record.state);
    this.#environment.metrics.stages(record.direction, this.#newStages());
  }

  #newStages(): StageTimes {
    const times = this.stages;
    const counted = this.#countedStages;
    this.#countedStages = times;
    return stagesSince(times, counted);
  }

  #progressEvent(): ControlEvent {
    const { id, bytes, bytesDone, sent, received, reused, rewritten, chunkSize } = this.record;
    this.#environment.metrics.stages(this.record.direction, this.#newStages());
    return { kind: 'progress', id, bytesDone, bytes, chunks: { sent, received, reused, rewritten, chunkSize } };
  }
}

const isHeld = ({ pausedHere, pausedThere }: Pick<TransferCore, 'pausedHere' | 'pausedThere'>): boolean => pausedHere || pausedThere;
