import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import type { MessageDefinition } from './define.ts';

/**
 * Either side: your `pause` was heard; what I say of this transfer from now on is said knowing it. Never answered.
 */
export interface PauseAck {
  transfer: TransferId;
}

export const pauseAck: MessageDefinition<'pause-ack', PauseAck> = {
  kind: 'pause-ack',
  type: 0x4f,
  maxBytes: 128,
  schema: z.object({ transfer: transferIdSchema }),
};
