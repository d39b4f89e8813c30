import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import { KiB, reasonMaxBytes } from '../limits.ts';
import { textSchema, type MessageDefinition } from './define.ts';

/**
 * Either side: this transfer can't be completed. Idempotent.
 */
export interface Failed {
  transfer: TransferId;
  code: string;
  message: string;
}

export const failed: MessageDefinition<'failed', Failed> = {
  kind: 'failed',
  type: 0x4d,
  maxBytes: 4 * KiB,
  schema: z.object({ transfer: transferIdSchema, code: textSchema(64, 1), message: textSchema(reasonMaxBytes) }),
};
