import { z } from 'zod';
import { hashBytes } from '../limits.ts';
import { bytesSchema, type MessageDefinition } from './define.ts';

/**
 * The person of this side wants to compare codes. The commitment hides a nonce that comes with `verify-reveal`, and names this
 * attempt.
 */
export interface VerifyCommit {
  commitment: Uint8Array;
}

export const verifyCommit: MessageDefinition<'verify-commit', VerifyCommit> = {
  kind: 'verify-commit',
  type: 0x35,
  maxBytes: 128,
  schema: z.object({ commitment: bytesSchema(hashBytes) }),
};
