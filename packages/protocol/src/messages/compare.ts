import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import { hashBytes, KiB, maxChunkSize, maxEntries, minChunkSize } from '../limits.ts';
import { bytesSchema, textSchema, uintSchema, type MessageDefinition } from './define.ts';

/**
 * Sender → receiver: what would this manifest meet at your side? Nothing is offered, and nothing is kept of it. The
 * receiver answers `manifest-request` with the id of the question, and at the end, or at once, `compared`. The fields
 * are those of `offer`.
 */
export interface Compare {
  /** Of the question; no transfer has it. */
  transfer: TransferId;
  entries: number;
  bytes: number;
  pages: number;
  manifestBytes: number;
  offerRoot: Uint8Array;
  chunkSize: number;
  conflict: string;
}

export const compare: MessageDefinition<'compare', Compare> = {
  kind: 'compare',
  type: 0x50,
  maxBytes: KiB,
  schema: z.object({
    transfer: transferIdSchema,
    entries: z.int().min(1).max(maxEntries),
    bytes: uintSchema,
    pages: z.int().min(1).max(maxEntries),
    manifestBytes: z.int().min(1),
    offerRoot: bytesSchema(hashBytes),
    chunkSize: z.int().min(minChunkSize).max(maxChunkSize),
    conflict: textSchema(32, 1),
  }),
};
