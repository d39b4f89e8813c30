import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import { hashBytes } from '../limits.ts';
import { bytesSchema, type MessageDefinition } from './define.ts';

/**
 * Receiver → sender: the manifest with this root is accepted. `have` pages follow once the receiver has checked what it
 * holds; after the page with `last` the sender may send chunks.
 */
export interface Accept {
  transfer: TransferId;
  offerRoot: Uint8Array;
  /** The receiver takes `hole` frames. Absent: it does not know them. */
  holes?: boolean;
  /** The receiver takes `compressed` frames. Absent: it does not know them. */
  compressed?: boolean;
  /** Data connections of this transfer that the receiver reads at a time. Absent: one. */
  connections?: number;
}

export const accept: MessageDefinition<'accept', Accept> = {
  kind: 'accept',
  type: 0x44,
  maxBytes: 256,
  schema: z.object({
    transfer: transferIdSchema, offerRoot: bytesSchema(hashBytes), holes: z.boolean().exactOptional(), compressed: z.boolean().exactOptional(),
    connections: z.int().min(1).exactOptional(),
  }),
};
