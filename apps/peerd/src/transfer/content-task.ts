/** One round of content: from the last `have` page to the point where everything was sent, or where the round is lost. */
import { dataConnectionMaxBytes, noTraffic, priorities, type TransferEnd } from '@peerd/protocol';
import { Compression, type HaveSet, type Manifest, Pacer, sendContent } from '@peerd/transfer';
import type { Link } from '../peer/ports.ts';
import { DataFlow } from './data-flow.ts';
import { endOf } from './ends.ts';
import type { TransferEnvironment } from './environment.ts';
import { FailureTeller } from './failure-teller.ts';
import { isQuick } from './lanes.ts';
import { statePaths } from './layout.ts';
import type { LiveRecord } from './live-record.ts';
import { addedTraffic } from './traffic.ts';

export type ContentOutcome =
  | { readonly kind: 'sent'; readonly contentRoot: Buffer }
  /** A data connection failed. */
  | { readonly kind: 'lost'; readonly progressed: boolean; readonly cause: unknown }
  /** It can't be sent. */
  | { readonly kind: 'failed'; readonly end: TransferEnd }
  /** `signal` aborted. */
  | { readonly kind: 'given-up' };

export interface ContentRound {
  readonly link: Link;
  readonly manifest: Manifest;
  readonly have: HaveSet;
  /** The receiver takes hole frames. */
  readonly holes: boolean;
  /** The receiver takes compressed frames. */
  readonly compressed: boolean;
  /** Data connections that the receiver reads at a time. */
  readonly connections: number;
  readonly onOpen: () => void;
  readonly signal: AbortSignal;
}

export const runContent = async (environment: TransferEnvironment, live: LiveRecord, round: ContentRound): Promise<ContentOutcome> => {
  const { record } = live;
  const { link, signal } = round;
  const { contentSlots, metrics, settings } = environment;
  const compression = round.compressed && record.compress === 'auto' ? new Compression() : undefined;
  const before = record.traffic;
  let wired = 0;
  let flow: DataFlow | undefined;
  try {
    using _slot = await contentSlots.take(record, signal, priorities.indexOf(record.priority));
    using opened = new DataFlow({ link, transfer: record.id, maxBytes: settings.dataConnectionMaxBytes ?? dataConnectionMaxBytes, mostConnections: round.connections, onOpen: round.onOpen, signal });
    flow = opened;
    if (!round.have.isWhole) opened.prepare();
    const teller = new FailureTeller(link, record.id);
    for (const failure of live.failures.values()) teller.tell(failure);
    const { contentRoot } = await sendContent({
      manifest: round.manifest,
      roots: record.roots,
      journalPath: statePaths(settings.stateDir, record).journal,
      have: round.have,
      holes: round.holes,
      ...(compression === undefined ? {} : { compression }),
      alreadyFailed: new Set(live.failures.keys()),
      sink: opened,
      pacers: [...(record.limitRate === undefined ? [] : [new Pacer(record.limitRate)]), ...(environment.pacer ? [isQuick(record) ? environment.pacer.urgent : environment.pacer] : [])],
      onEntryFailed: (entry, code, message) => {
        const failure = { entry, code, message };
        live.addFailure(failure);
        teller.tell(failure);
      },
      onChunksSent: (count, bytes, wireBytes) => {
        record.sent += count;
        record.traffic = addedTraffic(before, { ...noTraffic, ...compression?.counters, wireBytes: (wired += wireBytes) });
        metrics.content('send', count, bytes);
        metrics.wire('send', wireBytes);
        live.progressed();
      },
      stages: live.clock,
      signal,
    });
    await live.clock.time('socket', () => opened.end());
    await teller.done(signal);
    return { kind: 'sent', contentRoot };
  } catch (error) {
    if (signal.aborted) return { kind: 'given-up' };
    if (flow?.lost || link.signal.aborted) return { kind: 'lost', progressed: flow?.progressed ?? false, cause: error };
    return { kind: 'failed', end: endOf(error) };
  }
};
