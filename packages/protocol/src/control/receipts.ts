/** GET /v1/receipts, GET /v1/receipts/verify */
import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import { receiptProblems, type ReceiptProblem } from '../receipts/chain.ts';
import type { ReceiptRole } from '../receipts/log-entry.ts';
import { type PageQuery, pageQuerySchema, type PeerReference, peerReferenceSchema } from './common.ts';

/** An entry of the log. What stands in the receipt is `null` where the entry is not in its place any more. */
export interface ReceiptView {
  seq: number;
  /** `sent`: proof of what was sent from here. `received`: signed here. */
  role: ReceiptRole;
  transfer: TransferId;
  /** The other side. */
  peer: PeerReference;
  /** SHA-256 of the entry, hexadecimal: the link to the next one. */
  hash: string;
  receipt: {
    /** Milliseconds since 1970 by the receiver's clock. */
    receivedAt: number;
    durability: 'transfer' | 'none';
    delivered: number;
    failed: number;
    /** Entries that stayed as they were (policy `skip`); absent: none. */
    skipped?: number;
    offerRoot: string;
    contentRoot: string;
    signature: string;
  } | null;
}

export interface ReceiptsResponse {
  /** Newest first. */
  receipts: ReceiptView[];
  total: number;
  offset: number;
}
export const receiptsResponseSchema: z.ZodType<ReceiptsResponse> = z.object({
  receipts: z.array(
    z.object({
      seq: z.int(),
      role: z.enum(['sent', 'received']),
      transfer: transferIdSchema,
      peer: peerReferenceSchema,
      hash: z.string(),
      receipt: z
        .object({
          receivedAt: z.int(), durability: z.enum(['transfer', 'none']), delivered: z.int(), failed: z.int(), skipped: z.int().exactOptional(), offerRoot: z.string(), contentRoot: z.string(), signature: z.string(),
        })
        .nullable(),
    }),
  ),
  total: z.int(),
  offset: z.int(),
});

export type ReceiptsQuery = PageQuery;
export const receiptsQuerySchema: z.ZodType<ReceiptsQuery> = pageQuerySchema;

export interface VerifyReceiptsResponse {
  valid: boolean;
  /** The file. */
  path: string;
  /** Entries that were written. */
  entries: number;
  /** Entries, from the first one on, that are as they were written. */
  intact: number;
  /** The first entry that is not. */
  problem: ReceiptProblem | null;
}
export const verifyReceiptsResponseSchema: z.ZodType<VerifyReceiptsResponse> = z.object({
  valid: z.boolean(),
  path: z.string(),
  entries: z.int(),
  intact: z.int(),
  problem: z.object({ kind: z.enum(receiptProblems), seq: z.int(), offset: z.int(), message: z.string() }).nullable(),
});
