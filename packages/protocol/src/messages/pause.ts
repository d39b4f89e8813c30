import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import type { MessageDefinition } from './define.ts';

/**
 * Either side: whether I hold this transfer has changed. While one of the two sides holds it, no content flows and no data
 * connection is open. Answered by `pause-ack`.
 */
export interface Pause {
  transfer: TransferId;
  paused: boolean;
}

export const pause: MessageDefinition<'pause', Pause> = {
  kind: 'pause',
  type: 0x4e,
  maxBytes: 128,
  schema: z.object({ transfer: transferIdSchema, paused: z.boolean() }),
};
