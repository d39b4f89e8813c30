import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import { KiB, reasonMaxBytes } from '../limits.ts';
import { textSchema, uintSchema, type MessageDefinition } from './define.ts';

/**
 * Sender → receiver: the entry with this manifest index can't be sent. Its chunks don't come; the rest does.
 */
export interface EntryFailed {
  transfer: TransferId;
  entry: number;
  code: string;
  message: string;
}

export const entryFailed: MessageDefinition<'entry-failed', EntryFailed> = {
  kind: 'entry-failed',
  type: 0x48,
  maxBytes: 4 * KiB,
  schema: z.object({ transfer: transferIdSchema, entry: uintSchema, code: textSchema(64, 1), message: textSchema(reasonMaxBytes) }),
};
