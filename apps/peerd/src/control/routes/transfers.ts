/** POST /v1/transfers, POST /v1/transfers/dry-run, GET /v1/transfers, GET /v1/transfers/:id, GET /v1/transfers/:id/why, POST /v1/transfers/:id/pause, …/resume, …/cancel */
import {
  dryRunResponseSchema, sendRequestSchema, sendResponseSchema, showQuerySchema, transferActionResponseSchema, transferDetailSchema, transfersResponseSchema, whyResponseSchema,
} from '@peerd/protocol';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Transfers } from '../../transfer/ports.ts';
import { requestSignal } from '../request-signal.ts';

export interface TransfersRoutes {
  readonly transfers: Transfers;
  /** Aborts when the daemon stops. */
  readonly stopping: AbortSignal;
}

const params = z.object({ id: z.string().min(1).max(64).describe('A transfer id or a unique beginning of one') });

export const transfersRoutes: FastifyPluginAsyncZod<TransfersRoutes> = async (app, { transfers, stopping }) => {
  app.post(
    '/v1/transfers',
    { schema: { description: 'Makes the peers contacts and queues what is at the paths for each of them. Answers when the sources were scanned and the transfers are stored.', body: sendRequestSchema, response: { 200: sendResponseSchema } } },
    async (request, reply) => {
      using waiting = requestSignal(reply, stopping);
      return await transfers.send(request.body, waiting.signal);
    },
  );

  app.post(
    '/v1/transfers/dry-run',
    { schema: { description: 'What POST /v1/transfers would send, and what the receivers say is there. Nothing is queued, and nobody becomes a contact.', body: sendRequestSchema, response: { 200: dryRunResponseSchema } } },
    async (request, reply) => {
      using waiting = requestSignal(reply, stopping);
      return await transfers.dryRun(request.body, waiting.signal);
    },
  );

  app.get(
    '/v1/transfers',
    { schema: { description: 'The latest 1,000 transfers in both directions, oldest first. What is over is kept for 30 days.', response: { 200: transfersResponseSchema } } },
    async () => ({ transfers: await transfers.list() }),
  );

  app.get(
    '/v1/transfers/:id',
    { schema: { description: 'One transfer with a page of its files.', params, querystring: showQuerySchema, response: { 200: transferDetailSchema } } },
    async (request) => transfers.show(request.params.id, request.query),
  );

  app.get(
    '/v1/transfers/:id/why',
    { schema: { description: 'Where the time of a transfer went, or goes: its phases and stages, and what holds it up in one sentence.', params, response: { 200: whyResponseSchema } } },
    async (request) => transfers.why(request.params.id),
  );

  for (const [action, paused, description] of [
    ['pause', true, 'Holds a transfer at this side, also through restarts. Content flows while neither side holds it.'],
    ['resume', false, 'Ends the pause of this side. What has arrived already is not sent again.'],
  ] as const)
    app.post(`/v1/transfers/:id/${action}`, { schema: { description, params, response: { 200: transferActionResponseSchema } } }, async (request) => transfers.hold(request.params.id, paused));

  app.post(
    '/v1/transfers/:id/cancel',
    { schema: { description: 'Ends a transfer at both ends, now or as soon as the other side is there again.', params, response: { 200: transferActionResponseSchema } } },
    async (request) => transfers.cancel(request.params.id),
  );
};
