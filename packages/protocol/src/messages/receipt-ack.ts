import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import type { MessageDefinition } from './define.ts';

/**
 * Sender → receiver: the end that the receiver told is known and stored, with its receipt where there is one; it need not
 * be told again. Answers `receipt`, `reject`, `cancel` and `failed`; is never answered itself.
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
