import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import { KiB, reasonMaxBytes } from '../limits.ts';
import { textSchema, type MessageDefinition } from './define.ts';

/**
 * Either side: this transfer ends here by somebody's decision. Idempotent.
 */
export interface Cancel {
  transfer: TransferId;
  message: string;
}

export const cancel: MessageDefinition<'cancel', Cancel> = {
  kind: 'cancel',
  type: 0x4c,
  maxBytes: 4 * KiB,
  schema: z.object({ transfer: transferIdSchema, message: textSchema(reasonMaxBytes) }),
};
