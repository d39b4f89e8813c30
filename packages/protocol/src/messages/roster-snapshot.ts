import { z } from 'zod';
import { MiB, rosterPageEntries } from '../limits.ts';
import { type RosterEntry, rosterEntrySchema } from './roster-entry.ts';
import { encodeCbor, encodedArray, encodedMap } from './cbor.ts';
import { joinMessage, uintSchema, type MessageDefinition } from './define.ts';

/**
 * Rendezvous → client: the whole roster of the room without the reader, in pages of at most 256 peers. The page with
 * `last` completes it; the client then holds `version`.
 */
export interface RosterSnapshot {
  version: number;
  peers: RosterEntry[];
  last: boolean;
}

export const rosterSnapshot: MessageDefinition<'roster-snapshot', RosterSnapshot> = {
  kind: 'roster-snapshot',
  type: 0x12,
  maxBytes: MiB,
  schema: z.object({ version: uintSchema, peers: z.array(rosterEntrySchema).max(rosterPageEntries), last: z.boolean() }),
};

/** The frame that `encodeMessage` makes, at the price of a copy. @param peers entries that are encoded already (`encodeCbor`) */
export const joinRosterSnapshot = ({ version, last }: Omit<RosterSnapshot, 'peers'>, peers: readonly Uint8Array[]): Buffer =>
  joinMessage(rosterSnapshot, encodedMap({ last: [encodeCbor(last)], peers: encodedArray(peers), version: [encodeCbor(version)] }));
