import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import type { MessageDefinition } from './define.ts';

/**
 * Sender → receiver: the receipt is stored; the receiver need not offer it again.
 */
export interface ReceiptAck {
  transfer: TransferId;
}

export const receiptAck: MessageDefinition<'receipt-ack', ReceiptAck> = {
  kind: 'receipt-ack',
  type: 0x4b,
  maxBytes: 128,
  schema: z.object({ transfer: transferIdSchema }),
};
