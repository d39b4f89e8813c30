/**
 * GET /v1/events: server-sent events. Each has an increasing `id` (`Last-Event-ID` resumes while it is still buffered)
 * and the kind as SSE `event`. The first event of a stream is `hello`; `reset` says that events were lost and the
 * subscriber must query the state anew.
 */
import { z } from 'zod';
import type { PeerReference, TransferSummary } from './common.ts';
import { peerReferenceSchema, transferSummarySchema } from './common.ts';
import { type ChatMessageView, chatMessageViewSchema } from './messages.ts';
import type { ChunkCounters } from './transfers.ts';

export type ControlEvent =
  | { kind: 'hello'; lastId: number }
  | { kind: 'reset'; lastId: number }
  /** The roster, the links or the contacts changed: GET /v1/peers has the new state. */
  | { kind: 'peers' }
  | { kind: 'rendezvous'; address: string; state: string }
  | { kind: 'link'; peer: PeerReference; state: 'linked' | 'disconnected' }
  | { kind: 'message'; message: ChatMessageView }
  | { kind: 'offer'; id: string; from: PeerReference }
  /** A peer that is no contact asks for a link: GET /v1/inbox. */
  | { kind: 'introduction'; id: string; from: PeerReference }
  /** `asked`: the peer's person waits for ours to compare codes; `withdrawn`: not any more. The others are ends. */
  | { kind: 'verification'; peer: PeerReference; state: 'asked' | 'withdrawn' | 'verified' | 'mismatch' | 'cancelled' | 'failed' }
  /** A transfer was made or changed state. `savedAs` with `done`. */
  | { kind: 'transfer'; transfer: TransferSummary; savedAs?: string[] }
  /** At most 4 a second per transfer. */
  | { kind: 'progress'; id: string; bytesDone: number; bytes: number; chunks: ChunkCounters };

const counters = z.object({ sent: z.int(), received: z.int(), reused: z.int(), rewritten: z.int(), chunkSize: z.int() });

export const controlEventSchema: z.ZodType<ControlEvent> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('hello'), lastId: z.int() }),
  z.object({ kind: z.literal('reset'), lastId: z.int() }),
  z.object({ kind: z.literal('peers') }),
  z.object({ kind: z.literal('rendezvous'), address: z.string(), state: z.string() }),
  z.object({ kind: z.literal('link'), peer: peerReferenceSchema, state: z.enum(['linked', 'disconnected']) }),
  z.object({ kind: z.literal('message'), message: chatMessageViewSchema }),
  z.object({ kind: z.literal('offer'), id: z.string(), from: peerReferenceSchema }),
  z.object({ kind: z.literal('introduction'), id: z.string(), from: peerReferenceSchema }),
  z.object({ kind: z.literal('verification'), peer: peerReferenceSchema, state: z.enum(['asked', 'withdrawn', 'verified', 'mismatch', 'cancelled', 'failed']) }),
  z.object({ kind: z.literal('transfer'), transfer: transferSummarySchema, savedAs: z.array(z.string()).exactOptional() }),
  z.object({ kind: z.literal('progress'), id: z.string(), bytesDone: z.int(), bytes: z.int(), chunks: counters }),
]);
