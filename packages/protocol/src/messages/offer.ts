import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import { hashBytes, KiB, maxChunkSize, maxEntries, minChunkSize, noteMaxBytes } from '../limits.ts';
import { bytesSchema, textSchema, uintSchema, type MessageDefinition } from './define.ts';

/**
 * What becomes of a top-level name that exists at the receiver: the new one gets another name, the new one fails, or the new
 * one is merged into what is there; then a file of that path is replaced, or stays.
 */
export const conflictPolicies = ['rename', 'fail', 'overwrite', 'skip'] as const;
export type ConflictPolicy = (typeof conflictPolicies)[number];

export const isConflictPolicy = (text: string): text is ConflictPolicy => conflictPolicies.some((policy) => policy === text);

/**
 * Sender → receiver: what I propose to send; also the way to pick a transfer up again on a new link. The receiver answers
 * by what it knows of (peer id, transfer): `manifest-request` when manifest pages are missing, `offered` when it is
 * waiting for a decision, `accept` and `have` when it was accepted, `receipt` when it is done, `reject`, `cancel` or
 * `failed` when it ended that way.
 */
export interface Offer {
  transfer: TransferId;
  /** Common id of the transfers of one `send` to several peers. */
  group?: string;
  note?: string;
  entries: number;
  /** Sum of all file sizes. */
  bytes: number;
  /** Manifest pages, and their bytes. */
  pages: number;
  manifestBytes: number;
  /** BLAKE3-256 over the concatenated BLAKE3-256 hashes of the manifest pages. */
  offerRoot: Uint8Array;
  chunkSize: number;
  /** A `ConflictPolicy`, or one that a later version has added: such an offer is declined. */
  conflict: string;
  /** The sender holds the transfer: content follows when it has let go. */
  paused?: boolean;
}

export const offer: MessageDefinition<'offer', Offer> = {
  kind: 'offer',
  type: 0x40,
  maxBytes: 8 * KiB,
  schema: z.object({
    transfer: transferIdSchema,
    group: transferIdSchema.exactOptional(),
    note: textSchema(noteMaxBytes).exactOptional(),
    entries: z.int().min(1).max(maxEntries),
    bytes: uintSchema,
    pages: z.int().min(1).max(maxEntries),
    manifestBytes: z.int().min(1),
    offerRoot: bytesSchema(hashBytes),
    chunkSize: z.int().min(minChunkSize).max(maxChunkSize),
    conflict: textSchema(32, 1),
    paused: z.boolean().exactOptional(),
  }),
};
