/** GET /v1/peers/:peer/policy, POST /v1/peers/:peer/policy: what happens to offers of one peer */
import { z } from 'zod';
import { type PeerReference, peerReferenceSchema } from './common.ts';

const policyKinds = ['ask', 'auto', 'block'] as const;
export type PolicyKind = (typeof policyKinds)[number];

/** The scope of an `auto`; each part that is absent sets no bound. */
interface GrantScope {
  /** Absolute directory instead of the download directory. Shown escaped. */
  into?: string;
  /** Bytes in all, over the life of the grant. */
  maxBytes?: number;
  /** A glob that every top-level name must match. Shown escaped. */
  match?: string;
  /** Milliseconds since 1970. */
  until?: number;
}
const grantFields = {
  into: z.string().max(4_096).exactOptional(),
  maxBytes: z.int().min(1).exactOptional(),
  match: z.string().min(1).max(256).exactOptional(),
  until: z.int().min(0).exactOptional(),
};

export interface GrantView extends GrantScope {
  /** Delivered or reserved by transfers under way. */
  usedBytes: number;
}

export interface PolicyView {
  /** What holds now: an `auto` whose grant is used up or expired is `ask`. */
  kind: PolicyKind;
  /** `false`: the peer has no policy of its own, the default of the daemon holds. */
  own: boolean;
  grant?: GrantView;
  /** Why an `auto` is `ask` now. */
  why?: string;
}
export const policyViewSchema: z.ZodType<PolicyView> = z.object({
  kind: z.enum(policyKinds),
  own: z.boolean(),
  grant: z.object({ ...grantFields, usedBytes: z.int() }).exactOptional(),
  why: z.string().exactOptional(),
});

/** Replaces the policy of before, and its grant with what was used of it. A scope goes with `auto` only. */
export interface PolicyRequest extends GrantScope {
  kind: PolicyKind;
}
export const policyRequestSchema: z.ZodType<PolicyRequest> = z.object({ kind: z.enum(policyKinds), ...grantFields });

export interface PolicyResponse {
  peer: PeerReference;
  policy: PolicyView;
  warnings: string[];
}
export const policyResponseSchema: z.ZodType<PolicyResponse> = z.object({ peer: peerReferenceSchema, policy: policyViewSchema, warnings: z.array(z.string()) });
