/** GET /v1/peers, POST /v1/peers/:peer/connect, POST /v1/peers/:peer/disconnect */
import {
  connectRequestSchema, type ConnectResponse, connectResponseSchema, type DisconnectResponse, disconnectResponseSchema, escapeText, formatAddress, PeerdError,
  peersResponseSchema,
} from '@peerd/protocol';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Contacts } from '../../contacts/ports.ts';
import type { Link, Links } from '../../peer/ports.ts';
import { type KnownPeers, peersView } from '../peers-view.ts';
import { requestSignal } from '../request-signal.ts';

export interface PeersRoutes {
  readonly known: KnownPeers;
  readonly contacts: Contacts;
  readonly links: Links;
  /** Aborts when the daemon stops. */
  readonly stopping: AbortSignal;
}

const params = z.object({ peer: z.string().min(1) });
const defaultTimeoutMs = 30_000;

export const peersRoutes: FastifyPluginAsyncZod<PeersRoutes> = async (app, { known, contacts, links, stopping }) => {
  app.get('/v1/peers', { schema: { description: 'Contacts, linked peers and the peers of the room.', response: { 200: peersResponseSchema } } }, async () => ({
    peers: peersView(known),
  }));

  app.post(
    '/v1/peers/:peer/connect',
    { schema: { description: 'Makes the peer a contact and links with it. Answers when the link is up.', params, body: connectRequestSchema.optional(), response: { 200: connectResponseSchema } } },
    async (request, reply) => {
      const { id, name, warnings } = contacts.choose(request.params.peer);
      await contacts.pin({ id, name });
      const answer = (link: Link, state: ConnectResponse['state']): ConnectResponse => ({
        peer: { id, name: escapeText(name) }, state, address: escapeText(formatAddress(link.remote)), warnings: [...warnings],
      });
      const existing = links.get(id);
      if (existing) return answer(existing, 'already_linked');
      const ms = request.body?.timeoutMs ?? defaultTimeoutMs;
      using waiting = requestSignal(reply, stopping, { ms, reason: () => unreachable(name, ms) });
      return answer(await links.connect(id, waiting.signal), 'linked');
    },
  );

  app.post(
    '/v1/peers/:peer/disconnect',
    { schema: { description: 'Ends the link with the peer, and redialling until the next act. Answers when it is closed.', params, response: { 200: disconnectResponseSchema } } },
    async (request): Promise<DisconnectResponse> => {
      const { id, name } = contacts.resolve(request.params.peer);
      const state = (await links.disconnect(id)) ? 'disconnected' : 'already_disconnected';
      return { peer: { id, name: escapeText(name) }, state };
    },
  );
};

const unreachable = (name: string, ms: number): PeerdError =>
  new PeerdError('peer_unreachable', `no link to ${escapeText(name)} came up within ${ms / 1_000} s`, {
    hint: 'Is peerd running there, and can either machine reach the other? `peerctl peers` shows the addresses that are tried.',
  });
