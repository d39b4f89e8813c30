/**
 * POST /v1/peers/:peer/verify, POST /v1/peers/:peer/verify/answer
 *
 * The first answers with one event per line (NDJSON) when the link is up, and goes on until the end; closing it before is
 * giving up.
 */
import { z } from 'zod';
import { type ErrorDocument, errorDocumentSchema, type PeerReference, peerReferenceSchema } from './common.ts';

export type VerifyEvent =
  /** The other side's person has to run `verify` too. */
  | { event: 'waiting'; peer: PeerReference; warnings: string[] }
  /** Both persons compare it; each says by `verify/answer` whether they are the same. */
  | { event: 'code'; peer: PeerReference; code: string }
  | { event: 'verified'; peer: PeerReference }
  /** Nothing was changed. */
  | { event: 'mismatch' | 'cancelled' | 'failed'; peer: PeerReference; error: ErrorDocument['error'] };

export const verifyEventSchema: z.ZodType<VerifyEvent> = z.union([
  z.object({ event: z.literal('waiting'), peer: peerReferenceSchema, warnings: z.array(z.string()) }),
  z.object({ event: z.literal('code'), peer: peerReferenceSchema, code: z.string() }),
  z.object({ event: z.literal('verified'), peer: peerReferenceSchema }),
  z.intersection(z.object({ event: z.enum(['mismatch', 'cancelled', 'failed']), peer: peerReferenceSchema }), errorDocumentSchema),
]);

export interface VerifyAnswerRequest {
  /** Both persons see the same code. */
  same: boolean;
}
export const verifyAnswerRequestSchema: z.ZodType<VerifyAnswerRequest> = z.object({ same: z.boolean() });

export interface VerifyAnswerResponse {
  peer: PeerReference;
  state: 'answered';
}
export const verifyAnswerResponseSchema: z.ZodType<VerifyAnswerResponse> = z.object({ peer: peerReferenceSchema, state: z.literal('answered') });
