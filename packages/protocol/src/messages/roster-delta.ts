import { z } from 'zod';
import { type PeerId, peerIdSchema } from '../ids.ts';
import { MiB, rosterPageEntries } from '../limits.ts';
import { type RosterEntry, rosterEntrySchema } from './roster-entry.ts';
import { uintSchema, type MessageDefinition } from './define.ts';

/**
 * Rendezvous → client: what changed from `from` to `to`, coalesced. A client whose version is not `from` has a gap and asks
 * with `roster-request`.
 */
export interface RosterDelta {
  from: number;
  to: number;
  upserts: RosterEntry[];
  removes: PeerId[];
}

export const rosterDelta: MessageDefinition<'roster-delta', RosterDelta> = {
  kind: 'roster-delta',
  type: 0x13,
  maxBytes: MiB,
  schema: z.object({
    from: uintSchema,
    to: uintSchema,
    upserts: z.array(rosterEntrySchema).max(rosterPageEntries),
    removes: z.array(peerIdSchema).max(rosterPageEntries),
  }),
};
