/**
 * From what the daemon says about transfers to the events of `send`. Pure. States may come twice, late or with gaps
 * (after a reconnect); the events are in order all the same:
 *
 *     queued → [offered] → [accepted] → progress* → done | rejected | cancelled | failed
 */
import type { ChunkCounters, PeerReference, SendResponse, SkippedEntry, TransferState, TransferSummary } from '@peerd/protocol';
import { exitCodeOf } from '../client/failure.ts';

type SendEventKind = 'queued' | 'offered' | 'accepted' | 'progress' | 'done' | 'rejected' | 'cancelled' | 'failed';

export interface SendEvent {
  readonly event: SendEventKind;
  readonly id: string;
  readonly group?: string;
  readonly peer: PeerReference;
  readonly state: TransferState;
  /** With the state `paused`. */
  readonly pausedBy?: NonNullable<TransferSummary['pausedBy']>;
  readonly entries: number;
  readonly bytes: number;
  readonly bytesDone: number;
  readonly chunks?: ChunkCounters;
  /** With `done`. */
  readonly savedAs?: readonly string[];
  /** Entries that stayed as they were at the receiver. */
  readonly kept?: number;
  /** With `rejected`, `cancelled` and `failed`. */
  readonly error?: { readonly code: string; readonly message: string };
  /** With `queued`: what is left out, and what the person should know. */
  readonly skipped?: readonly SkippedEntry[];
  readonly warnings?: readonly string[];
  /** With `queued`: entries that the patterns left out. */
  readonly leftOut?: number;
  /** With `queued`: an earlier send with the same key has made it. */
  readonly repeated?: true;
}

interface Tracked {
  readonly summary: TransferSummary;
  readonly sent: ReadonlySet<SendEventKind>;
  readonly final: SendEvent | undefined;
}

/** The milestone that a state has reached. */
const milestones: Record<TransferState, SendEventKind> = {
  queued: 'queued',
  connecting: 'queued',
  offered: 'offered',
  accepted: 'accepted',
  transferring: 'accepted',
  verifying: 'accepted',
  paused: 'queued',
  done: 'done',
  rejected: 'rejected',
  cancelled: 'cancelled',
  failed: 'failed',
};

const isFinalKind = (kind: SendEventKind): boolean => kind === 'done' || kind === 'rejected' || kind === 'cancelled' || kind === 'failed';

export class SendTracker {
  readonly #transfers = new Map<string, Tracked>();

  /** What the daemon made of the request. */
  start(transfers: readonly TransferSummary[], { skipped, warnings, leftOut, repeated = [] }: Pick<SendResponse, 'skipped' | 'warnings' | 'leftOut' | 'repeated'>): SendEvent[] {
    return transfers.flatMap((summary) => {
      this.#transfers.set(summary.id, { summary, sent: new Set(['queued']), final: undefined });
      const isRepeated = repeated.includes(summary.id);
      const queued: SendEvent = { ...describe('queued', summary), skipped, warnings, ...(leftOut === undefined ? {} : { leftOut }), ...(isRepeated ? { repeated: true as const } : {}) };
      // Of one that is over already, the final event needs more than the summary.
      return isRepeated && isFinalKind(milestones[summary.state]) ? [queued] : [queued, ...this.observe(summary, undefined)];
    });
  }

  /** A state, new or known. `savedAs` must be there with `done`. */
  observe(summary: TransferSummary, savedAs: readonly string[] | undefined): SendEvent[] {
    const tracked = this.#transfers.get(summary.id);
    if (tracked === undefined || tracked.final !== undefined) return [];
    const milestone = milestones[summary.state];
    if (isFinalKind(milestone)) {
      const final = finalEvent(milestone, summary, savedAs);
      this.#transfers.set(summary.id, { summary, sent: tracked.sent, final });
      return [final];
    }
    const changed = summary.state !== tracked.summary.state || summary.pausedBy?.join() !== tracked.summary.pausedBy?.join();
    const isNew = !tracked.sent.has(milestone);
    this.#transfers.set(summary.id, { summary, sent: new Set([...tracked.sent, milestone]), final: undefined });
    if (isNew) return [describe(milestone, summary)];
    // A transfer that waits for a link again, or verifies, is told as progress with its state.
    return changed ? [describe('progress', summary)] : [];
  }

  progress(id: string, bytesDone: number, bytes: number, chunks: ChunkCounters): SendEvent[] {
    const tracked = this.#transfers.get(id);
    if (tracked === undefined || tracked.final !== undefined) return [];
    const summary = { ...tracked.summary, bytes, bytesDone };
    this.#transfers.set(id, { ...tracked, summary });
    return [{ ...describe('progress', summary), chunks }];
  }

  has(id: string): boolean {
    return this.#transfers.has(id);
  }

  unfinished(): TransferSummary[] {
    return [...this.#transfers.values()].filter(({ final }) => final === undefined).map(({ summary }) => summary);
  }

  /** The final events, in the order of the receivers. */
  finals(): SendEvent[] {
    return [...this.#transfers.values()].flatMap(({ final }) => (final === undefined ? [] : [final]));
  }
}

const describe = (event: SendEventKind, { id, group, peer, state, pausedBy, entries, bytes, bytesDone, kept }: TransferSummary): SendEvent => ({
  event,
  id,
  ...(group === undefined ? {} : { group }),
  peer,
  state,
  ...(pausedBy === undefined ? {} : { pausedBy }),
  entries,
  bytes,
  bytesDone,
  ...(kept === undefined ? {} : { kept }),
});

const finalEvent = (event: SendEventKind, summary: TransferSummary, savedAs: readonly string[] | undefined): SendEvent => {
  if (event === 'done') return { ...describe(event, summary), savedAs: savedAs ?? [] };
  const fallback = event === 'rejected' ? 'the receiver rejected the offer' : event === 'cancelled' ? 'the transfer was cancelled' : 'the transfer failed';
  return { ...describe(event, summary), error: summary.error ?? { code: event === 'failed' ? 'internal' : event, message: fallback } };
};

/** The exit code of one final event. */
export const exitOf = ({ event, error }: SendEvent): number => {
  if (event === 'done') return 0;
  if (event === 'rejected') return 5;
  if (event === 'cancelled') return 6;
  return exitCodeOf(error?.code ?? 'internal') || 1;
};
