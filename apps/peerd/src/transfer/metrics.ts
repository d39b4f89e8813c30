/** What Prometheus sees of transfers. Labels are bounded sets; nothing that a peer chose is in them. */
import { type ErrorCode, isFinalState, type StageTimes, type TransferPhase, type TransferState, transferStates } from '@peerd/protocol';
import { startAtZero } from '@peerd/service';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Direction } from './record.ts';

const directions = ['send', 'receive'] as const;

export interface TransferMetrics {
  /** An offer did not come into the inbox. */
  offerRefused(reason: ErrorCode): void;
  finished(direction: Direction, outcome: TransferPhase): void;
  content(direction: Direction, chunks: number, bytes: number): void;
  /** @param bytes of frames, compressed or not */
  wire(direction: Direction, bytes: number): void;
  /** @param stages milliseconds since the last call for this transfer */
  stages(direction: Direction, stages: StageTimes): void;
}

/** @param unfinished how many transfers of a direction are in that state now */
export const createTransferMetrics = (registry: Registry, unfinished: (direction: Direction, state: TransferState) => number): TransferMetrics => {
  const registers = [registry];
  const outcomes = new Counter({ name: 'peerd_transfers_total', help: 'Transfers that ended, by how they ended', labelNames: ['direction', 'outcome'], registers });
  const offersRefused = new Counter({ name: 'peerd_offers_refused_total', help: 'Offers that were not taken into the inbox, by reason', labelNames: ['reason'], registers });
  const bytes = new Counter({ name: 'peerd_transfer_bytes_total', help: 'Content bytes sent and stored', labelNames: ['direction'], registers });
  const wireBytes = new Counter({ name: 'peerd_transfer_wire_bytes_total', help: 'Bytes of content frames on data connections, compressed or not, before encryption', labelNames: ['direction'], registers });
  const chunks = new Counter({ name: 'peerd_transfer_chunks_total', help: 'Chunks sent and stored', labelNames: ['direction'], registers });
  const seconds = new Counter({ name: 'peerd_transfer_stage_seconds_total', help: 'Time that transfers spent per stage; stages overlap', labelNames: ['direction', 'stage'], registers });
  const gauge: Gauge = new Gauge({
    name: 'peerd_transfers_active',
    help: 'Transfers that are not over, by state',
    labelNames: ['direction', 'state'],
    registers,
    collect: () => {
      for (const direction of directions) for (const state of transferStates) if (!isFinalState(state)) gauge.set({ direction, state }, unfinished(direction, state));
    },
  });
  // A series that is there from the start shows its first increase.
  for (const direction of directions) {
    for (const outcome of transferStates) if (isFinalState(outcome)) outcomes.inc({ direction, outcome }, 0);
    bytes.inc({ direction }, 0);
    wireBytes.inc({ direction }, 0);
    chunks.inc({ direction }, 0);
  }
  startAtZero(offersRefused, 'reason', ['too_many_offers', 'manifest_too_large', 'manifest_invalid', 'policy_unknown']);
  return {
    offerRefused: (reason) => offersRefused.inc({ reason }),
    finished: (direction, outcome) => outcomes.inc({ direction, outcome }),
    content: (direction, count, size) => {
      chunks.inc({ direction }, count);
      bytes.inc({ direction }, size);
    },
    wire: (direction, size) => wireBytes.inc({ direction }, size),
    stages: (direction, stages) => {
      for (const [stage, ms] of Object.entries(stages)) if (ms > 0) seconds.inc({ direction, stage }, ms / 1_000);
    },
  };
};
