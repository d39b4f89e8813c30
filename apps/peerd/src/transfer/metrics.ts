/** What Prometheus sees of transfers. Labels are bounded sets; nothing that a peer chose is in them. */
import { type StageTimes, type TransferPhase } from '@peerd/protocol';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Direction } from './record.ts';

export interface TransferMetrics {
  finished(direction: Direction, outcome: TransferPhase): void;
  content(direction: Direction, chunks: number, bytes: number): void;
  /** @param stages milliseconds since the last call for this transfer */
  stages(direction: Direction, stages: StageTimes): void;
}

/** @param unfinished how many transfers of a direction are not over now */
export const createTransferMetrics = (registry: Registry, unfinished: (direction: Direction) => number): TransferMetrics => {
  const registers = [registry];
  const outcomes = new Counter({ name: 'peerd_transfers_total', help: 'Transfers that ended, by how they ended', labelNames: ['direction', 'outcome'], registers });
  const bytes = new Counter({ name: 'peerd_transfer_bytes_total', help: 'Content bytes sent and stored', labelNames: ['direction'], registers });
  const chunks = new Counter({ name: 'peerd_transfer_chunks_total', help: 'Chunks sent and stored', labelNames: ['direction'], registers });
  const seconds = new Counter({ name: 'peerd_transfer_stage_seconds_total', help: 'Time that transfers spent per stage; stages overlap', labelNames: ['direction', 'stage'], registers });
  const gauge: Gauge = new Gauge({
    name: 'peerd_transfers_active',
    help: 'Transfers that are not over',
    labelNames: ['direction'],
    registers,
    collect: () => {
      for (const direction of ['send', 'receive'] as const) gauge.set({ direction }, unfinished(direction));
    },
  });
  return {
    finished: (direction, outcome) => outcomes.inc({ direction, outcome }),
    content: (direction, count, size) => {
      chunks.inc({ direction }, count);
      bytes.inc({ direction }, size);
    },
    stages: (direction, stages) => {
      for (const [stage, ms] of Object.entries(stages)) if (ms > 0) seconds.inc({ direction, stage }, ms / 1_000);
    },
  };
};
