/** `/v1` of the admin port: who is registered, and taking somebody off. */
import { BlockList, isIPv6 } from 'node:net';
import { PeerdError, peerIdSchema, type PeerId } from '@peerd/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type PeerView, peerViewSchema } from './peers.ts';
import { bearsToken } from './token.ts';

export interface AdminParts {
  readonly token: string;
  readonly maxPeers: number;
  /** All, or those of a room. */
  readonly peers: (room: string | undefined) => PeerView[];
  /** Ends the registration and its connection. `undefined`: nobody of that id is registered. */
  readonly remove: (id: PeerId) => PeerView | undefined;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

export const addAdminRoutes = (app: FastifyInstance, parts: AdminParts): void => {
  const authorize = (request: FastifyRequest, reply: FastifyReply): void => {
    if (bearsToken(request.headers.authorization, parts.token)) return;
    void reply.header('www-authenticate', 'Bearer');
    throw new PeerdError('unauthorized', `${request.method} ${request.routeOptions.url ?? ''} needs the admin token`, {
      hint: 'Send "Authorization: Bearer TOKEN" with the content of admin-token in the state directory of the rendezvous.',
    });
  };
  const routes = app.withTypeProvider<ZodTypeProvider>();

  routes.route({
    method: 'GET',
    url: '/v1/peers',
    schema: { description: 'Who is registered, in all rooms or in one. Off loopback it needs the admin token.', querystring: z.object({ room: z.string().optional() }), response: { 200: z.object({ peers: z.array(peerViewSchema), maxPeers: z.int() }) } },
    onRequest: async (request, reply) => {
      if (!onLoopback(app)) authorize(request, reply);
    },
    handler: async (request) => ({ peers: parts.peers(request.query.room), maxPeers: parts.maxPeers }),
  });

  routes.route({
    method: 'DELETE',
    url: '/v1/peers/:id',
    schema: { description: 'Takes a registration off the roster and closes its connection. Needs the admin token.', params: z.object({ id: peerIdSchema }), response: { 200: z.object({ removed: peerViewSchema }) } },
    onRequest: async (request, reply) => authorize(request, reply),
    handler: async (request) => {
      const removed = parts.remove(request.params.id);
      if (!removed) throw new PeerdError('no_such_peer', `no peer ${request.params.id} is registered`, { hint: 'GET /v1/peers lists who is.' });
      return { removed };
    },
  });
};

/** Whether only processes of this machine reach the port. */
const onLoopback = (app: FastifyInstance): boolean => {
  const bound = app.server.address();
  return bound !== null && typeof bound !== 'string' && loopback.check(bound.address, isIPv6(bound.address) ? 'ipv6' : 'ipv4');
};
