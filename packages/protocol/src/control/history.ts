/** GET /v1/history: transfers that are over, newest first */
import { z } from 'zod';
import { type PageQuery, pageQueryFields, type TransferSummary, transferSummarySchema } from './common.ts';

const endedStates = ['done', 'rejected', 'cancelled', 'failed'] as const;

export interface HistoryEntry extends TransferSummary {
  /** Milliseconds since 1970. */
  finishedAt: number;
  /** Final absolute paths (names, for what was sent) of the top-level entries, escaped; at most 1,000. */
  savedAs: string[];
  /** `verified`: a receipt with a valid signature is here. `none`: there is none, since nothing was delivered. */
  receipt: 'verified' | 'none';
}

export interface HistoryResponse {
  transfers: HistoryEntry[];
  /** How many there are with this peer and state. */
  total: number;
  offset: number;
}
export const historyResponseSchema: z.ZodType<HistoryResponse> = z.object({
  transfers: z.array(z.intersection(transferSummarySchema, z.object({ finishedAt: z.int(), savedAs: z.array(z.string()), receipt: z.enum(['verified', 'none']) }))),
  total: z.int(),
  offset: z.int(),
});

export interface HistoryQuery extends PageQuery {
  /** A name, NAME~IDPREFIX, an id or the beginning of one. A name may stand for several peers. */
  peer?: string;
  state?: (typeof endedStates)[number];
}
export const historyQuerySchema: z.ZodType<HistoryQuery> = z.object({
  ...pageQueryFields,
  peer: z.string().min(1).max(256).exactOptional(),
  state: z.enum(endedStates).exactOptional(),
});
