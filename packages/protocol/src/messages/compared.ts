import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import { KiB, maxEntries, reasonMaxBytes } from '../limits.ts';
import { textSchema, type MessageDefinition } from './define.ts';

/** What a manifest would meet. Entries are numbers of the manifest, ascending, the first ones only. */
export interface ComparedResult {
  new: number;
  same: number;
  conflict: number;
  /** All entries were looked at. */
  counted: boolean;
  /** There is room for it now. */
  fits: boolean;
  sameEntries: number[];
  conflictEntries: number[];
}

/** Receiver → sender: the answer to `compare`. */
export interface Compared {
  transfer: TransferId;
  /** Absent: `reason` says why. */
  result?: ComparedResult;
  /** `asks`: a person would decide about such an offer, so nothing is told. `unable`: `message` says why. Others may be added. */
  reason?: string;
  message?: string;
}

/** Entries of each kind that are listed. */
export const maxComparedEntries = 100;

const countSchema = z.int().min(0).max(maxEntries);
const listSchema = z.array(countSchema).max(maxComparedEntries);

export const compared: MessageDefinition<'compared', Compared> = {
  kind: 'compared',
  type: 0x51,
  maxBytes: 4 * KiB,
  schema: z.object({
    transfer: transferIdSchema,
    result: z
      .object({ new: countSchema, same: countSchema, conflict: countSchema, counted: z.boolean(), fits: z.boolean(), sameEntries: listSchema, conflictEntries: listSchema })
      .exactOptional(),
    reason: textSchema(32, 1).exactOptional(),
    message: textSchema(reasonMaxBytes).exactOptional(),
  }),
};
