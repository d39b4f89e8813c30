import { z } from 'zod';
import { transferIdSchema } from '../ids.ts';
import type { MessageDefinition } from './define.ts';

/**
 * The message is stored at the reader's side.
 */
export interface ChatAck {
  id: string;
}

export const chatAck: MessageDefinition<'chat-ack', ChatAck> = {
  kind: 'chat-ack',
  type: 0x34,
  maxBytes: 128,
  schema: z.object({ id: transferIdSchema }),
};
