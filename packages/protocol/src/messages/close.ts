import { z } from 'zod';
import { KiB, reasonMaxBytes } from '../limits.ts';
import { textSchema, type MessageDefinition } from './define.ts';

/**
 * Last message on a connection: why it ends. `retryAfterMs` asks not to come back sooner. A code that the reader does not
 * know is treated as `internal`.
 */
export interface Close {
  code: string;
  message: string;
  retryAfterMs?: number;
}

export const close: MessageDefinition<'close', Close> = {
  kind: 'close',
  type: 0x04,
  maxBytes: 4 * KiB,
  schema: z.object({ code: textSchema(64, 1), message: textSchema(reasonMaxBytes), retryAfterMs: z.int().min(0).exactOptional() }),
};
