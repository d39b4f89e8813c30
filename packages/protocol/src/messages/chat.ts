import { z } from 'zod';
import { transferIdSchema } from '../ids.ts';
import { KiB, chatMaxBytes } from '../limits.ts';
import { textSchema, uintSchema, type MessageDefinition } from './define.ts';

/**
 * A message to the person at the other side. Sent again until acknowledged; the reader drops an `id` it has.
 */
export interface Chat {
  /** Lower-case ULID. */
  id: string;
  text: string;
  /** When it was written: milliseconds since 1970 by the sender's clock. */
  sentAt: number;
}

export const chat: MessageDefinition<'chat', Chat> = {
  kind: 'chat',
  type: 0x33,
  maxBytes: chatMaxBytes + KiB,
  schema: z.object({ id: transferIdSchema, text: textSchema(chatMaxBytes, 1), sentAt: uintSchema }),
};
