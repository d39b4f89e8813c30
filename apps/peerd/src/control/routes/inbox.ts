/** GET /v1/inbox, POST /v1/inbox/:id/accept, POST /v1/inbox/:id/reject */
import { acceptRequestSchema, inboxActionResponseSchema, inboxResponseSchema, rejectRequestSchema } from '@peerd/protocol';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { IntroductionDesk } from '../../introductions/desk.ts';
import { ambiguousId, type IntroductionRequest, type IntroductionRequests, withPrefix } from '../../introductions/requests.ts';
import type { Transfers } from '../../transfer/ports.ts';
import type { Verifications } from '../../verification/verifications.ts';

export interface InboxRoutes {
  readonly transfers: Transfers;
  readonly introductions: Pick<IntroductionDesk, 'inbox' | 'accept' | 'reject'>;
  readonly requests: Pick<IntroductionRequests, 'waiting'>;
  readonly verifications: Pick<Verifications, 'asking'>;
}

const params = z.object({ id: z.string().min(1).max(64).describe('The id of an offer or of an introduction, or a unique beginning of it') });

export const inboxRoutes: FastifyPluginAsyncZod<InboxRoutes> = async (app, { transfers, introductions, requests, verifications }) => {
  /** What the id names, unless it is an offer. */
  const introductionOf = async (typed: string): Promise<IntroductionRequest | undefined> => {
    const found = withPrefix(requests.waiting(), typed);
    const [request] = found;
    if (!request) return undefined;
    const offers = (await transfers.inbox()).filter(({ id }) => id.startsWith(typed.toLowerCase()));
    if (found.length + offers.length > 1) throw ambiguousId(typed, [...found.map(({ peer }) => peer), ...offers.map(({ from }) => from.id)]);
    return request;
  };

  app.get(
    '/v1/inbox',
    { schema: { description: 'What waits for a decision.', response: { 200: inboxResponseSchema } } },
    async () => ({ offers: await transfers.inbox(), introductions: introductions.inbox(), verifications: verifications.asking() }),
  );

  app.post(
    '/v1/inbox/:id/accept',
    { schema: { description: 'Accepts an offer or an introduction, and makes its peer a contact. Answers at once; the content or the link follows.', params, body: acceptRequestSchema.nullish(), response: { 200: inboxActionResponseSchema } } },
    async (request) => {
      const introduction = await introductionOf(request.params.id);
      return introduction ? introductions.accept(introduction) : transfers.accept(request.params.id, request.body ?? {});
    },
  );

  app.post(
    '/v1/inbox/:id/reject',
    { schema: { description: 'Declines an offer, whose sender sees the reason, or an introduction.', params, body: rejectRequestSchema.nullish(), response: { 200: inboxActionResponseSchema } } },
    async (request) => {
      const introduction = await introductionOf(request.params.id);
      return introduction ? introductions.reject(introduction) : transfers.reject(request.params.id, request.body ?? {});
    },
  );
};
