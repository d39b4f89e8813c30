/** GET /v1/whoami, GET /v1/status */
import { z } from 'zod';
import { type PeerId, peerIdSchema } from '../ids.ts';
import { type PeerReference, peerReferenceSchema } from './common.ts';

export interface WhoamiResponse {
  id: PeerId;
  shortId: string;
  name: string;
}
export const whoamiResponseSchema: z.ZodType<WhoamiResponse> = z.object({ id: peerIdSchema, shortId: z.string(), name: z.string() });

export interface RendezvousStatus {
  address: string;
  /** The rendezvous' own id once known. */
  id: PeerId | null;
  state: 'registered' | 'connecting' | 'left' | 'refused';
  error?: { code: string; message: string };
}

export interface StatusResponse {
  version: string;
  id: PeerId;
  name: string;
  room: string;
  /** HOST:PORT as bound. */
  listen: string[];
  /** HOST:PORT of the metrics endpoint. */
  metrics: string | null;
  rendezvous: RendezvousStatus[];
  /** One per linked peer. */
  /** `pacedMs`: so long the link was not read, since the peer had said more than it may. */
  links: { peer: PeerReference; since: number; address: string; dialled: boolean; pacedMs?: number }[];
  /** Counts by state of transfers that are not final. */
  transfers: { active: number; waiting: number; inbox: number };
  /** `queued`: of ours, not delivered yet. `strangers`: of peers that are no contacts. */
  messages?: { queued: number; strangers: number };
  downloadDir: string;
  accept: 'ask' | 'auto';
}
export const statusResponseSchema: z.ZodType<StatusResponse> = z.object({
  version: z.string(),
  id: peerIdSchema,
  name: z.string(),
  room: z.string(),
  listen: z.array(z.string()),
  metrics: z.string().nullable(),
  rendezvous: z.array(
    z.object({
      address: z.string(),
      id: peerIdSchema.nullable(),
      state: z.enum(['registered', 'connecting', 'left', 'refused']),
      error: z.object({ code: z.string(), message: z.string() }).exactOptional(),
    }),
  ),
  links: z.array(z.object({ peer: peerReferenceSchema, since: z.int(), address: z.string(), dialled: z.boolean(), pacedMs: z.number().exactOptional() })),
  transfers: z.object({ active: z.int(), waiting: z.int(), inbox: z.int() }),
  messages: z.object({ queued: z.int(), strangers: z.int() }).exactOptional(),
  downloadDir: z.string(),
  accept: z.enum(['ask', 'auto']),
});
