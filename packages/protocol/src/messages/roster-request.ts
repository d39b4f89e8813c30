import { z } from 'zod';
import { uintSchema, type MessageDefinition } from './define.ts';

/**
 * Client → rendezvous: send me a snapshot. `have` is the version held, for the server's log.
 */
export interface RosterRequest {
  have: number;
}

export const rosterRequest: MessageDefinition<'roster-request', RosterRequest> = {
  kind: 'roster-request',
  type: 0x14,
  maxBytes: 64,
  schema: z.object({ have: uintSchema }),
};
