import { z } from 'zod';
import { hashBytes } from '../limits.ts';
import { bytesSchema, type MessageDefinition } from './define.ts';

/**
 * The attempt that this side began with `commitment` is over, or was not known here any more. Never answered.
 */
export interface VerifyCancel {
  commitment: Uint8Array;
}

export const verifyCancel: MessageDefinition<'verify-cancel', VerifyCancel> = {
  kind: 'verify-cancel',
  type: 0x38,
  maxBytes: 128,
  schema: z.object({ commitment: bytesSchema(hashBytes) }),
};
