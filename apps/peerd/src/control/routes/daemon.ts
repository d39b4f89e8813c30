/** GET /v1/whoami, GET /v1/status */
import { type StatusResponse, statusResponseSchema, type WhoamiResponse, whoamiResponseSchema } from '@peerd/protocol';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';

export interface DaemonRoutes {
  readonly whoami: WhoamiResponse;
  readonly status: () => Promise<StatusResponse>;
}

export const daemonRoutes: FastifyPluginAsyncZod<DaemonRoutes> = async (app, { whoami, status }) => {
  app.get('/v1/whoami', { schema: { description: 'Who this daemon is.', response: { 200: whoamiResponseSchema } } }, async () => whoami);
  app.get('/v1/status', { schema: { description: 'What this daemon is doing.', response: { 200: statusResponseSchema } } }, status);
};
