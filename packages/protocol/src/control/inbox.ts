/** GET /v1/inbox, POST /v1/inbox/:id/accept, POST /v1/inbox/:id/reject (`:id` also a unique prefix) */
import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import { type ConflictPolicy, conflictPolicies } from '../messages/offer.ts';
import { type LocalDiff, localDiffSchema, type RiskyPath, riskyPathSchema, type SpaceView, spaceViewSchema } from './local-diff.ts';
import { type PeerReference, peerReferenceSchema, type TransferSummary, transferSummarySchema } from './common.ts';
import { type Trust, trustLevels } from './peers.ts';

export interface InboxOffer {
  id: TransferId;
  from: PeerReference;
  trust: Trust;
  entries: number;
  bytes: number;
  note?: string;
  /** Top-level names that exist in the download directory. */
  conflicts: number;
  /** What becomes of names that exist. */
  conflict: ConflictPolicy;
  /** Compared with the download directory. */
  diff: LocalDiff;
  /** The first entries that want a look. */
  risks: RiskyPath[];
  space: SpaceView;
  /** Top-level names, escaped; at most 10. */
  names: string[];
  receivedAt: number;
  /** Why a policy `auto` did not take it. */
  why?: string;
}
/** A peer that asks for a link, while `introductions = "ask"`. */
export interface InboxIntroduction {
  id: string;
  from: PeerReference;
  trust: Trust;
  receivedAt: number;
}
const introductionSchema = z.object({ id: z.string(), from: peerReferenceSchema, trust: z.enum(trustLevels), receivedAt: z.int() });
/** A peer whose person waits for ours to run `verify`. */
export interface InboxVerification {
  from: PeerReference;
  trust: Trust;
  receivedAt: number;
}
export interface InboxResponse {
  offers: InboxOffer[];
  introductions: InboxIntroduction[];
  verifications?: InboxVerification[];
}
export const inboxResponseSchema: z.ZodType<InboxResponse> = z.object({
  offers: z.array(
    z.object({
      id: transferIdSchema,
      from: peerReferenceSchema,
      trust: z.enum(trustLevels),
      entries: z.int(),
      bytes: z.int(),
      note: z.string().exactOptional(),
      conflicts: z.int(),
      conflict: z.enum(conflictPolicies),
      diff: localDiffSchema,
      risks: z.array(riskyPathSchema),
      space: spaceViewSchema,
      names: z.array(z.string()),
      receivedAt: z.int(),
      why: z.string().exactOptional(),
    }),
  ),
  introductions: z.array(introductionSchema),
  verifications: z.array(z.object({ from: peerReferenceSchema, trust: z.enum(trustLevels), receivedAt: z.int() })).exactOptional(),
});

export interface AcceptRequest {
  /** Absolute directory instead of the download directory. */
  to?: string;
}
export const acceptRequestSchema: z.ZodType<AcceptRequest> = z.object({ to: z.string().startsWith('/').exactOptional() });

export interface RejectRequest {
  reason?: string;
}
export const rejectRequestSchema: z.ZodType<RejectRequest> = z.object({ reason: z.string().max(1_024).exactOptional() });

const transferActions = [
  'accepted', 'already_accepted', 'rejected', 'already_rejected', 'cancelled', 'already_cancelled', 'paused', 'already_paused', 'resumed', 'already_resumed',
] as const;

/** Answer of accept, reject, cancel, pause and resume. `state` is `already_…` when there was nothing left to do. */
export interface TransferActionResponse {
  transfer: TransferSummary;
  state: (typeof transferActions)[number];
}
export const transferActionResponseSchema: z.ZodType<TransferActionResponse> = z.object({
  transfer: transferSummarySchema,
  state: z.enum(transferActions),
});

export interface IntroductionActionResponse {
  introduction: InboxIntroduction;
  state: 'accepted' | 'rejected';
}
/** Answer of accept and reject: what the id names is an offer or an introduction. */
export type InboxActionResponse = TransferActionResponse | IntroductionActionResponse;
export const inboxActionResponseSchema: z.ZodType<InboxActionResponse> = z.union([
  transferActionResponseSchema, z.object({ introduction: introductionSchema, state: z.enum(['accepted', 'rejected']) }),
]);
