/** GET /v1/inbox, POST /v1/inbox/:id/accept, POST /v1/inbox/:id/reject */
import { acceptRequestSchema, type InboxIntroduction, inboxResponseSchema, rejectRequestSchema, transferActionResponseSchema } from '@peerd/protocol';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Transfers } from '../../transfer/ports.ts';

export interface InboxRoutes {
  readonly transfers: Transfers;
  /** Introductions that wait for an answer. */
  readonly introductions: () => InboxIntroduction[];
}

const params = z.object({ id: z.string().min(1).max(64).describe('The id of an offer or a unique beginning of it') });

export const inboxRoutes: FastifyPluginAsyncZod<InboxRoutes> = async (app, { transfers, introductions }) => {
  app.get(
    '/v1/inbox',
    { schema: { description: 'What waits for a decision.', response: { 200: inboxResponseSchema } } },
    async () => ({ offers: await transfers.inbox(), introductions: introductions() }),
  );

  app.post(
    '/v1/inbox/:id/accept',
    { schema: { description: 'Accepts an offer and makes its sender a contact. Answers at once; the content follows.', params, body: acceptRequestSchema.nullish(), response: { 200: transferActionResponseSchema } } },
    async (request) => transfers.accept(request.params.id, request.body ?? {}),
  );

  app.post(
    '/v1/inbox/:id/reject',
    { schema: { description: 'Declines an offer; the sender sees the reason.', params, body: rejectRequestSchema.nullish(), response: { 200: transferActionResponseSchema } } },
    async (request) => transfers.reject(request.params.id, request.body ?? {}),
  );
};
