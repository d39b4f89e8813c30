import { z } from 'zod';
import { hashBytes } from '../limits.ts';
import { verifyNonceBytes } from '../verification.ts';
import { bytesSchema, type MessageDefinition } from './define.ts';

/**
 * The nonce of this side, after both commitments are there. `to` is the commitment of the other side that it answers.
 */
export interface VerifyReveal {
  nonce: Uint8Array;
  to: Uint8Array;
}

export const verifyReveal: MessageDefinition<'verify-reveal', VerifyReveal> = {
  kind: 'verify-reveal',
  type: 0x36,
  maxBytes: 256,
  schema: z.object({ nonce: bytesSchema(verifyNonceBytes), to: bytesSchema(hashBytes) }),
};
