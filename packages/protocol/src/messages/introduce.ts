import { z } from 'zod';
import { type PeerId, peerIdSchema } from '../ids.ts';
import { uintSchema, type MessageDefinition } from './define.ts';

/**
 * Client → rendezvous: ask `peer` whether it wants a link with me. Answered by one `introduction-result` with the same
 * `request`.
 */
export interface Introduce {
  /** Chosen by the client, unique among its open requests. */
  request: number;
  peer: PeerId;
}

export const introduce: MessageDefinition<'introduce', Introduce> = {
  kind: 'introduce',
  type: 0x15,
  maxBytes: 256,
  schema: z.object({ request: uintSchema, peer: peerIdSchema }),
};
