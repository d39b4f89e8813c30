import { z } from 'zod';
import { type PeerId, peerIdSchema } from '../ids.ts';
import { maxAddresses, nameMaxBytes } from '../limits.ts';
import { type Address, addressSchema } from './address.ts';
import { textSchema, uintSchema } from './define.ts';

/** One peer of a room, as the rendezvous knows it. */
export interface RosterEntry {
  id: PeerId;
  name: string;
  addresses: Address[];
  epoch: number;
}

export const rosterEntrySchema: z.ZodType<RosterEntry> = z.object({
  id: peerIdSchema,
  name: textSchema(nameMaxBytes, 1),
  // The rendezvous adds one observed address to those of the peer.
  addresses: z.array(addressSchema).max(maxAddresses + 1),
  epoch: uintSchema,
});
