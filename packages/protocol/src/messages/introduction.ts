import { z } from 'zod';
import { KiB } from '../limits.ts';
import { type RosterEntry, rosterEntrySchema } from './roster-entry.ts';
import { uintSchema, type MessageDefinition } from './define.ts';

/**
 * Rendezvous → asked peer: `from` asks for a link. Answered by `introduction-answer` with the same `introduction`.
 */
export interface Introduction {
  /** Chosen by the rendezvous. */
  introduction: number;
  from: RosterEntry;
}

export const introduction: MessageDefinition<'introduction', Introduction> = {
  kind: 'introduction',
  type: 0x16,
  maxBytes: 8 * KiB,
  schema: z.object({ introduction: uintSchema, from: rosterEntrySchema }),
};
