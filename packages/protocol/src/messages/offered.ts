import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import type { MessageDefinition } from './define.ts';

/**
 * Receiver → sender: the manifest is stored and waits for a decision.
 */
export interface Offered {
  transfer: TransferId;
}

export const offered: MessageDefinition<'offered', Offered> = {
  kind: 'offered',
  type: 0x43,
  maxBytes: 128,
  schema: z.object({ transfer: transferIdSchema }),
};
