import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import { uintSchema, type MessageDefinition } from './define.ts';

/**
 * Receiver → sender: send the manifest from this page on, to the last.
 */
export interface ManifestRequest {
  transfer: TransferId;
  fromPage: number;
}

export const manifestRequest: MessageDefinition<'manifest-request', ManifestRequest> = {
  kind: 'manifest-request',
  type: 0x41,
  maxBytes: 128,
  schema: z.object({ transfer: transferIdSchema, fromPage: uintSchema }),
};
