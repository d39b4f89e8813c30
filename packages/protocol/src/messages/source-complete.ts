import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import { hashBytes } from '../limits.ts';
import { bytesSchema, uintSchema, type MessageDefinition } from './define.ts';

/**
 * Sender → receiver: every chunk was sent. `contentRoot` = BLAKE3-256 over offerRoot ‖ the root of each file in manifest
 * order; a file's root is BLAKE3-256 over its concatenated chunk hashes, 32 zero bytes for one that failed.
 */
export interface SourceComplete {
  transfer: TransferId;
  contentRoot: Uint8Array;
  /** Chunks sent over all links of this transfer. */
  chunksSent: number;
}

export const sourceComplete: MessageDefinition<'source-complete', SourceComplete> = {
  kind: 'source-complete',
  type: 0x49,
  maxBytes: 512,
  schema: z.object({ transfer: transferIdSchema, contentRoot: bytesSchema(hashBytes), chunksSent: uintSchema }),
};
