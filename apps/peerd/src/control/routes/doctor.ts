/** GET /v1/doctor */
import { type DoctorResponse, doctorResponseSchema } from '@peerd/protocol';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';

export interface DoctorRoutes {
  readonly examine: () => Promise<DoctorResponse>;
}

export const doctorRoutes: FastifyPluginAsyncZod<DoctorRoutes> = async (app, { examine }) => {
  app.get('/v1/doctor', { schema: { description: 'Checks the surroundings of this daemon: files, addresses, rendezvous, clock, limits. Takes a few seconds at most.', response: { 200: doctorResponseSchema } } }, examine);
};
