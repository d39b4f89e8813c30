/** GET /v1/transfers/:id/why (`:id` also a unique prefix): where the time of a transfer went, or goes */
import { z } from 'zod';
import { type TransferId, transferIdSchema } from '../ids.ts';
import { type PeerReference, peerReferenceSchema, type TransferState, transferStates } from './common.ts';
import { type StageTimes, stageTimesSchema } from './transfers.ts';

/**
 * `reaching`: until the offer was at the receiver. `person`: until somebody had decided. `read`, `hash`, `socket`, `write`: the
 * stages of the content; `write` is the receiver's disk, `socket` the network (at the receiver also the sender). `limit`: the
 * sender keeps to a rate limit. `compress`: content is compressed or expanded here. `paused`: a side holds it. `idle`: no content moved after the decision: the link was away, or others came first.
 */
const bottlenecks = ['reaching', 'person', 'read', 'hash', 'socket', 'write', 'limit', 'compress', 'paused', 'idle'] as const;
export type Bottleneck = (typeof bottlenecks)[number];

export interface WhyResponse {
  id: TransferId;
  direction: 'send' | 'receive';
  peer: PeerReference;
  state: TransferState;
  /** It is not over: the figures still grow. */
  running: boolean;
  /** Milliseconds from its beginning to its end, or until now. */
  elapsed: number;
  /** Milliseconds of `elapsed`: until the offer was there, until somebody had decided, and from then on. */
  phases: { reaching: number; person: number; content: number };
  /** Milliseconds in which at least one operation of the stage was under way; stages overlap. `write` is the receiver's. */
  stages: StageTimes;
  bytes: number;
  bytesDone: number;
  /** Over the phase of the content. */
  bytesPerSecond: number;
  /** What took, or takes, most of the time, and its share of `elapsed`, 0 to 1. `null`: it has hardly begun. */
  bottleneck: { what: Bottleneck; ms: number; share: number } | null;
  /** The same within the phase of the content, with the share of that phase. */
  content: { what: Bottleneck; ms: number; share: number } | null;
  /** One sentence for a person. */
  sentence: string;
}

const named = z.object({ what: z.enum(bottlenecks), ms: z.number(), share: z.number() }).nullable();
export const whyResponseSchema: z.ZodType<WhyResponse> = z.object({
  id: transferIdSchema,
  direction: z.enum(['send', 'receive']),
  peer: peerReferenceSchema,
  state: z.enum(transferStates),
  running: z.boolean(),
  elapsed: z.number(),
  phases: z.object({ reaching: z.number(), person: z.number(), content: z.number() }),
  stages: stageTimesSchema,
  bytes: z.int(),
  bytesDone: z.int(),
  bytesPerSecond: z.number(),
  bottleneck: named,
  content: named,
  sentence: z.string(),
});
