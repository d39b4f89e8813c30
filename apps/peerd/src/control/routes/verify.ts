/** POST /v1/peers/:peer/verify, POST /v1/peers/:peer/verify/answer */
import { escapeText, PeerdError, type VerificationEnd, verifyAnswerRequestSchema, type VerifyAnswerResponse, verifyAnswerResponseSchema, type VerifyEvent, verifyEventSchema } from '@peerd/protocol';
import { errorBody, type Logger } from '@peerd/service';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Contacts, ResolvedPeer } from '../../contacts/ports.ts';
import type { Links } from '../../peer/ports.ts';
import { verificationError, verifyTimeout, verifyTimeoutMs } from '../../verification/ends.ts';
import type { Verifications } from '../../verification/verifications.ts';
import { requestSignal } from '../request-signal.ts';

export interface VerifyRoutes {
  readonly contacts: Pick<Contacts, 'choose' | 'pin' | 'resolve'>;
  readonly links: Pick<Links, 'connect'>;
  readonly verifications: Pick<Verifications, 'verify' | 'answer' | 'assertFree'>;
  readonly logger: Logger;
  /** Aborts when the daemon stops. */
  readonly stopping: AbortSignal;
}

const params = z.object({ peer: z.string().min(1) });
const connectMs = 30_000;

export const verifyRoutes: FastifyPluginAsyncZod<VerifyRoutes> = async (app, { contacts, links, verifications, logger, stopping }) => {
  app.post(
    '/v1/peers/:peer/verify',
    {
      schema: {
        description: 'Makes the peer a contact, links with it, and compares codes with its person. Answers with one event per line: waiting, code, and one of verified, mismatch, cancelled, failed. Closing it gives up.',
        params, response: { 200: { description: 'One event per line.', content: { 'application/x-ndjson': { schema: verifyEventSchema } } } },
      },
    },
    async (request, reply) => {
      const peer = contacts.choose(request.params.peer);
      verifications.assertFree(peer.id);
      await contacts.pin(peer);
      {
        using connecting = requestSignal(reply, stopping, { ms: connectMs, reason: () => new PeerdError('peer_unreachable', `no link to ${escapeText(peer.name)} came up within ${connectMs / 1_000} s`) });
        await links.connect(peer.id, connecting.signal);
      }
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
      const write = (event: VerifyEvent): void => void (raw.destroyed || raw.write(`${JSON.stringify(event)}\n`));
      const reference = { id: peer.id, name: escapeText(peer.name) };
      using waiting = requestSignal(reply, stopping, { ms: verifyTimeoutMs, reason: () => verifyTimeout(peer.name) });
      write({ event: 'waiting', peer: reference, warnings: [...peer.warnings] });
      try {
        const end = await verifications.verify(peer.id, { signal: waiting.signal, onCode: (code) => write({ event: 'code', peer: reference, code }) });
        write(finalEvent(end, peer));
      } catch (error) {
        // Too late for an error response.
        if (!(error instanceof PeerdError)) logger.error({ err: error, peer: peer.id }, 'verification: it failed');
        write({ event: 'failed', peer: reference, error: errorBody(error).error });
      }
      raw.end();
    },
  );

  app.post(
    '/v1/peers/:peer/verify/answer',
    { schema: { description: 'Says whether both persons see the same code.', params, body: verifyAnswerRequestSchema, response: { 200: verifyAnswerResponseSchema } } },
    async (request): Promise<VerifyAnswerResponse> => {
      const { id, name } = contacts.resolve(request.params.peer);
      verifications.answer(id, request.body.same);
      return { peer: { id, name: escapeText(name) }, state: 'answered' };
    },
  );
};

const finalEvent = (end: VerificationEnd, { id, name }: ResolvedPeer): VerifyEvent => {
  const peer = { id, name: escapeText(name) };
  if (end === 'verified') return { event: 'verified', peer };
  const event = end === 'mismatch' || end === 'cancelled' ? end : 'failed';
  return { event, peer, error: errorBody(verificationError(end, name)).error };
};
