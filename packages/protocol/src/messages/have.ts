import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import { hashBytes, havePageHashes, KiB } from '../limits.ts';
import { maxBytesSchema, uintSchema, type MessageDefinition } from './define.ts';

/**
 * Receiver → sender: a run of chunks that are on its disk, verified. `hashes` are 32 bytes per chunk from chunk index `start`
 * on; empty when there is nothing (then `last`). Runs ascend and don't overlap. The sender skips a chunk whose hash is its own.
 */
export interface Have {
  transfer: TransferId;
  start: number;
  hashes: Uint8Array;
  last: boolean;
}

export const have: MessageDefinition<'have', Have> = {
  kind: 'have',
  type: 0x46,
  maxBytes: havePageHashes * hashBytes + KiB,
  schema: z.object({
    transfer: transferIdSchema,
    start: uintSchema,
    hashes: maxBytesSchema(havePageHashes * hashBytes).refine((hashes) => hashes.byteLength % hashBytes === 0, 'must be whole hashes'),
    last: z.boolean(),
  }),
};
