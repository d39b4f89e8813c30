/** What the admin port shows of a peer. Everything that a peer chose is escaped. */
import { escapeText, peerIdSchema, type PeerId } from '@peerd/protocol';
import { z } from 'zod';
import type { Registration } from '../registry/registry.ts';

export interface PeerView {
  id: PeerId;
  name: string;
  room: string;
  /** Program and version, as the peer says. */
  agent: string;
  epoch: number;
  addresses: { host: string; port: number; kind: 'host' | 'observed' }[];
  /** Where its connection comes from. */
  observedHost: string;
  /** Milliseconds since its last sign of life. */
  heardAgoMs: number;
  /** Bytes that wait to be sent to it. */
  queuedBytes: number;
}

export const peerViewSchema: z.ZodType<PeerView> = z.object({
  id: peerIdSchema,
  name: z.string(),
  room: z.string(),
  agent: z.string(),
  epoch: z.int(),
  addresses: z.array(z.object({ host: z.string(), port: z.int(), kind: z.enum(['host', 'observed']) })),
  observedHost: z.string(),
  heardAgoMs: z.int(),
  queuedBytes: z.int(),
});

/** The facts about the connection of a registration. */
export interface ConnectionFacts {
  readonly agent: string;
  readonly observedHost: string;
  readonly heardAgoMs: number;
  readonly queuedBytes: number;
}

export const peerView = ({ room, entry }: Registration, facts: ConnectionFacts): PeerView => ({
  id: entry.id,
  name: escapeText(entry.name),
  room: escapeText(room),
  agent: escapeText(facts.agent),
  epoch: entry.epoch,
  addresses: entry.addresses.map(({ host, port, kind }) => ({ host: escapeText(host), port, kind })),
  observedHost: facts.observedHost,
  heardAgoMs: Math.max(0, Math.round(facts.heardAgoMs)),
  queuedBytes: facts.queuedBytes,
});
