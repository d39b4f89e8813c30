import { z } from 'zod';
import { hashBytes } from '../limits.ts';
import { bytesSchema, type MessageDefinition } from './define.ts';

/**
 * What the person of this side says: both see the same code, or not. `to` is the commitment of the other side.
 */
export interface VerifyConfirm {
  to: Uint8Array;
  same: boolean;
}

export const verifyConfirm: MessageDefinition<'verify-confirm', VerifyConfirm> = {
  kind: 'verify-confirm',
  type: 0x37,
  maxBytes: 128,
  schema: z.object({ to: bytesSchema(hashBytes), same: z.boolean() }),
};
