import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import { uintSchema, type MessageDefinition } from './define.ts';

/**
 * Receiver → sender, at most 4 a second: bytes and chunks stored, counted over all links of this transfer. With the time
 * that the receiver's disk has taken the sender can tell it from the network.
 */
export interface Progress {
  transfer: TransferId;
  bytesDone: number;
  received: number;
  reused: number;
  rewritten: number;
  /** Milliseconds in which at least one write of this transfer was under way, placing and flushing included. */
  writeMs?: number;
}

export const progress: MessageDefinition<'progress', Progress> = {
  kind: 'progress',
  type: 0x47,
  maxBytes: 512,
  schema: z.object({ transfer: transferIdSchema, bytesDone: uintSchema, received: uintSchema, reused: uintSchema, rewritten: uintSchema, writeMs: uintSchema.exactOptional() }),
};
