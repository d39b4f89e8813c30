import { z } from 'zod';
import { KiB } from '../limits.ts';
import { type RosterEntry, rosterEntrySchema } from './roster-entry.ts';
import { uintSchema, type MessageDefinition } from './define.ts';

/**
 * Rendezvous → asking peer: how the introduction ended. `peer` is present exactly when it was accepted; its addresses are
 * as fresh as the rendezvous has them.
 */
export interface IntroductionResult {
  request: number;
  verdict: 'accepted' | 'refused' | 'timeout' | 'unknown_peer' | 'rate_limited';
  peer?: RosterEntry;
  /** With `refused`: the asked peer's answer said so. */
  pending?: boolean;
}

export const introductionResult: MessageDefinition<'introduction-result', IntroductionResult> = {
  kind: 'introduction-result',
  type: 0x18,
  maxBytes: 8 * KiB,
  schema: z
    .object({
      request: uintSchema,
      verdict: z.enum(['accepted', 'refused', 'timeout', 'unknown_peer', 'rate_limited']),
      peer: rosterEntrySchema.exactOptional(),
      pending: z.boolean().exactOptional(),
    })
    .refine((body) => (body.verdict === 'accepted') === (body.peer !== undefined), 'peer is present exactly when accepted'),
};
