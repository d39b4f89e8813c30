import { z } from 'zod';
import { type PeerId, peerIdSchema } from '../ids.ts';
import { MiB, rosterPageEntries } from '../limits.ts';
import { type RosterEntry, rosterEntrySchema } from './roster-entry.ts';
import { encodeCbor, encodedArray, encodedMap } from './cbor.ts';
import { joinMessage, uintSchema, type MessageDefinition } from './define.ts';

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

/** The frame that `encodeMessage` makes, at the price of a copy. @param upserts entries that are encoded already (`encodeCbor`) */
export const joinRosterDelta = ({ from, to, removes }: Omit<RosterDelta, 'upserts'>, upserts: readonly Uint8Array[]): Buffer =>
  joinMessage(rosterDelta, encodedMap({ to: [encodeCbor(to)], from: [encodeCbor(from)], removes: [encodeCbor(removes)], upserts: encodedArray(upserts) }));
