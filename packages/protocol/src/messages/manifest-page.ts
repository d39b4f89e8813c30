import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import { KiB, manifestPageMaxBytes } from '../limits.ts';
import { maxBytesSchema, uintSchema, type MessageDefinition } from './define.ts';

/**
 * Sender → receiver: page `index` of the manifest. `page` is the CBOR encoding of an array of at most 1,000 entries
 * (manifest-entry.ts); it is carried as bytes because its hash goes into `offerRoot`.
 */
export interface ManifestPage {
  transfer: TransferId;
  index: number;
  page: Uint8Array;
}

export const manifestPage: MessageDefinition<'manifest-page', ManifestPage> = {
  kind: 'manifest-page',
  type: 0x42,
  maxBytes: manifestPageMaxBytes + KiB,
  schema: z.object({ transfer: transferIdSchema, index: uintSchema, page: maxBytesSchema(manifestPageMaxBytes) }),
};
