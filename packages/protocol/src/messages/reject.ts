import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import { KiB, reasonMaxBytes } from '../limits.ts';
import { textSchema, type MessageDefinition } from './define.ts';

/**
 * Receiver → sender: the offer is not wanted (`rejected`) or not possible (any other code).
 */
export interface Reject {
  transfer: TransferId;
  code: string;
  message: string;
}

export const reject: MessageDefinition<'reject', Reject> = {
  kind: 'reject',
  type: 0x45,
  maxBytes: 4 * KiB,
  schema: z.object({ transfer: transferIdSchema, code: textSchema(64, 1), message: textSchema(reasonMaxBytes) }),
};
