/**
 * A disk under a page cache. What a killed process has written stays; of what was not flushed when the power goes, anything
 * may be missing. Rows are SQLite's: one commit after the other, each whole or not at all.
 */
import type { TransferCore, TransferEnd } from '@peerd/protocol';
import type { Random } from '../engine/random.ts';
import type { Actor, Timeline } from '../engine/timeline.ts';
import type { Ledger } from './ledger.ts';

export interface TransferRow extends Pick<TransferCore, 'state' | 'untold' | 'error' | 'pausedHere' | 'pausedThere'> {
  readonly direction: 'send' | 'receive';
  readonly peer: string;
  readonly id: string;
  readonly chunks: number;
  /** Receiver: a person, or a policy, wanted it. */
  readonly consented: boolean;
  /** Known when everything was sent. */
  readonly contentRoot: boolean;
  readonly receipt: boolean;
}

/** Content of a transfer before delivery, and its chunk journal: what the kernel has, and what is on the platter. */
export interface Staging {
  /** 1: the chunk is right. 0: missing or garbage. */
  readonly data: Uint8Array;
  readonly flushed: Uint8Array;
  readonly journal: Uint8Array;
  readonly journalFlushed: Uint8Array;
  sealed: boolean;
}

export interface FinalName {
  readonly transfer: string;
  readonly name: string;
  readonly staging: Staging;
  /** The directory was flushed after the rename. */
  flushed: boolean;
}

interface Commit {
  readonly write: () => void;
}

export class Disk {
  readonly rows = new Map<string, TransferRow>();
  readonly receipts = new Set<string>();
  /** Peers whose addresses are known, since there was a link. */
  readonly known = new Set<string>();
  readonly contacts = new Set<string>();
  readonly staging = new Map<string, Staging>();
  /** Journalled before the rename: transfer → final name. */
  readonly intended = new Map<string, string>();
  readonly finals: FinalName[] = [];
  failing: { readonly code: 'no_space' | 'io_error'; readonly until: number } | undefined;
  /** Whether it has failed at all. */
  failed = false;
  readonly #timeline: Timeline;
  readonly #ledger: Ledger;
  readonly #random: Random;
  readonly #commits: Commit[] = [];
  #busyUntil = 0;

  constructor(timeline: Timeline, ledger: Ledger, random: Random) {
    this.#timeline = timeline;
    this.#ledger = ledger;
    this.#random = random;
  }

  /** Why nothing can be written now. */
  error(): TransferEnd | undefined {
    const { failing } = this;
    if (!failing || failing.until <= this.#timeline.now) return undefined;
    this.failed = true;
    return { code: failing.code, message: failing.code };
  }

  /** On the platter when `done` is called without an error. */
  commit(actor: Actor, write: () => void, done: (error: TransferEnd | undefined) => void): void {
    const commit: Commit = { write };
    this.#commits.push(commit);
    const at = Math.max(this.#busyUntil, this.#timeline.now + this.#random.between(0.5, 20));
    this.#busyUntil = at;
    this.#timeline.plan(at - this.#timeline.now, actor, () => {
      this.#commits.splice(this.#commits.indexOf(commit), 1);
      const error = this.error();
      if (!error) write();
      done(error);
    });
  }

  /** Something that takes a while and may fail. */
  work(actor: Actor, ms: number, done: (error: TransferEnd | undefined) => void): void {
    this.#timeline.plan(this.#random.between(0, ms), actor, () => done(this.error()));
  }

  stagingOf(transfer: string, chunks: number): Staging {
    const known = this.staging.get(transfer) ?? this.finals.find((final) => final.transfer === transfer)?.staging;
    if (known) return known;
    const bytes = (): Uint8Array => new Uint8Array(chunks);
    const fresh: Staging = { data: bytes(), flushed: bytes(), journal: bytes(), journalFlushed: bytes(), sealed: false };
    this.staging.set(transfer, fresh);
    return fresh;
  }

  flush(staging: Staging): void {
    staging.flushed.set(staging.data);
  }

  /** The process is gone. Commits under way may have reached the platter, in order. @param power of the machine is gone too */
  crash(power: boolean): void {
    for (const { write } of this.#commits.splice(0, this.#random.below(this.#commits.length + 1))) write();
    this.#commits.length = 0;
    this.#busyUntil = this.#timeline.now;
    if (!power) return;
    for (const staging of this.staging.values()) this.#lose(staging);
    const kept = this.finals.filter((final) => {
      this.#lose(final.staging);
      if (final.flushed || this.#random.chance(0.5)) return true;
      this.staging.set(final.transfer, final.staging);
      return false;
    });
    this.finals.splice(0, this.finals.length, ...kept);
    this.checkFinals();
  }

  /** Nothing partial stands under a final name, and nothing twice. */
  checkFinals(): void {
    const seen = new Set<string>();
    for (const { transfer, name, staging } of this.finals) {
      this.#ledger.check(!staging.data.includes(0), 'never partial under the final name', () => name);
      this.#ledger.check(!seen.has(transfer), 'no duplicate delivery', () => `${transfer} stands as ${name} and under another name`);
      seen.add(transfer);
    }
  }

  #lose({ data, flushed, journal, journalFlushed }: Staging): void {
    for (let chunk = 0; chunk < data.length; chunk += 1) {
      if (data[chunk] !== flushed[chunk] && this.#random.chance(0.5)) data[chunk] = 0;
      if (journal[chunk] !== journalFlushed[chunk] && this.#random.chance(0.5)) journal[chunk] = journalFlushed[chunk] ?? 0;
    }
    flushed.set(data);
    journalFlushed.set(journal);
  }
}
