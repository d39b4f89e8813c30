/**
 * GET /v1/peers, POST /v1/peers/:peer/connect, POST /v1/peers/:peer/disconnect, POST /v1/peers/:peer/forget, GET /v1/contacts,
 * POST /v1/contacts
 *
 * `:peer` is what a person types: a name, `name~idprefix`, an id or an id prefix, percent-encoded.
 */
import { z } from 'zod';
import { type PeerId, peerIdSchema } from '../ids.ts';
import { type PeerReference, peerReferenceSchema } from './common.ts';
import { type PolicyView, policyViewSchema } from './policy.ts';

export const trustLevels = ['new', 'pinned', 'verified', 'changed'] as const;
export type Trust = (typeof trustLevels)[number];

export interface PeerView {
  id: PeerId;
  name: string;
  room: string;
  state: 'linked' | 'online' | 'offline';
  /** HOST:PORT, best first. */
  addresses: string[];
  trust: Trust;
  policy: PolicyView;
}
export interface PeersResponse {
  peers: PeerView[];
}
export const peersResponseSchema: z.ZodType<PeersResponse> = z.object({
  peers: z.array(
    z.object({
      id: peerIdSchema,
      name: z.string(),
      room: z.string(),
      state: z.enum(['linked', 'online', 'offline']),
      addresses: z.array(z.string()),
      trust: z.enum(trustLevels),
      policy: policyViewSchema,
    }),
  ),
});

export interface ConnectRequest {
  /** How long to try, default 30,000. */
  timeoutMs?: number;
}
export const connectRequestSchema: z.ZodType<ConnectRequest> = z.object({ timeoutMs: z.int().min(1).max(3_600_000).exactOptional() });

export interface ConnectResponse {
  peer: PeerReference;
  state: 'linked' | 'already_linked';
  address: string;
  /** Sentences for the person, such as that another peer bears the same name. */
  warnings: string[];
}
export const connectResponseSchema: z.ZodType<ConnectResponse> = z.object({
  peer: peerReferenceSchema,
  state: z.enum(['linked', 'already_linked']),
  address: z.string(),
  warnings: z.array(z.string()),
});

export interface DisconnectResponse {
  peer: PeerReference;
  state: 'disconnected' | 'already_disconnected';
}
export const disconnectResponseSchema: z.ZodType<DisconnectResponse> = z.object({
  peer: peerReferenceSchema,
  state: z.enum(['disconnected', 'already_disconnected']),
});

export interface ForgetResponse {
  peer: PeerReference;
  state: 'forgotten' | 'already_forgotten';
  /** Messages to the peer that had not reached it. */
  droppedMessages: number;
}
export const forgetResponseSchema: z.ZodType<ForgetResponse> = z.object({
  peer: peerReferenceSchema,
  state: z.enum(['forgotten', 'already_forgotten']),
  droppedMessages: z.int(),
});

export interface ContactView {
  id: PeerId;
  name: string;
  trust: 'pinned' | 'verified';
  addresses: string[];
  state: 'linked' | 'online' | 'offline';
  /** Milliseconds since 1970. */
  since: number;
  lastSeen: number | null;
  policy: PolicyView;
}
const contactViewSchema = z.object({
  id: peerIdSchema,
  name: z.string(),
  trust: z.enum(['pinned', 'verified']),
  addresses: z.array(z.string()),
  state: z.enum(['linked', 'online', 'offline']),
  since: z.int(),
  lastSeen: z.int().nullable(),
  policy: policyViewSchema,
});
export interface ContactsResponse {
  contacts: ContactView[];
}
export const contactsResponseSchema: z.ZodType<ContactsResponse> = z.object({ contacts: z.array(contactViewSchema) });

/** Pins a peer. `peer` as above, or `ID@HOST:PORT` for one that no rendezvous knows. `name` labels the latter. */
export interface TrustRequest {
  peer: string;
  name?: string;
}
export const trustRequestSchema: z.ZodType<TrustRequest> = z.object({ peer: z.string().min(1), name: z.string().min(1).exactOptional() });

export interface TrustResponse {
  contact: ContactView;
  state: 'pinned' | 'already_pinned';
  warnings: string[];
}
export const trustResponseSchema: z.ZodType<TrustResponse> = z.object({
  contact: contactViewSchema,
  state: z.enum(['pinned', 'already_pinned']),
  warnings: z.array(z.string()),
});
