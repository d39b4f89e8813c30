import { z } from 'zod';
import { uintSchema, type MessageDefinition } from './define.ts';

/**
 * Asked peer → rendezvous: the acknowledgement, or a refusal.
 */
export interface IntroductionAnswer {
  introduction: number;
  verdict: 'accepted' | 'refused';
  /** With `refused`: not now; a person has to decide, and was told. */
  pending?: boolean;
}

export const introductionAnswer: MessageDefinition<'introduction-answer', IntroductionAnswer> = {
  kind: 'introduction-answer',
  type: 0x17,
  maxBytes: 256,
  schema: z.object({ introduction: uintSchema, verdict: z.enum(['accepted', 'refused']), pending: z.boolean().exactOptional() }),
};
