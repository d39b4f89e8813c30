import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import { tokenBytes } from '../limits.ts';
import { bytesSchema, type MessageDefinition } from './define.ts';

/**
 * Listening side → dialling side of a link: dial one data connection for this transfer, with this token in its `hello`.
 * Sent on its own account when the listening side is the one that has data to send. A token works once, within 10 s, and
 * only for the TLS key of the link.
 */
export interface DataToken {
  transfer: TransferId;
  token: Uint8Array;
}

export const dataToken: MessageDefinition<'data-token', DataToken> = {
  kind: 'data-token',
  type: 0x32,
  maxBytes: 128,
  schema: z.object({ transfer: transferIdSchema, token: bytesSchema(tokenBytes) }),
};
