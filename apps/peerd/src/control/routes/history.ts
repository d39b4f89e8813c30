/** GET /v1/history */
import { historyQuerySchema, historyResponseSchema } from '@peerd/protocol';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Transfers } from '../../transfer/ports.ts';

export interface HistoryRoutes {
  readonly transfers: Pick<Transfers, 'history'>;
}

export const historyRoutes: FastifyPluginAsyncZod<HistoryRoutes> = async (app, { transfers }) => {
  app.get(
    '/v1/history',
    { schema: { description: 'Transfers in both directions that are over, newest first. They are kept for 30 days.', querystring: historyQuerySchema, response: { 200: historyResponseSchema } } },
    async ({ query }) => transfers.history(query),
  );
};
