/** POST /v1/messages, GET /v1/messages?peer=&strangers=&limit= */
import {
  escapeText, messagesQuerySchema, type MessagesResponse, messagesResponseSchema, sendMessageRequestSchema, type SendMessageResponse, sendMessageResponseSchema,
} from '@peerd/protocol';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Chat } from '../../chat/ports.ts';
import type { Contacts } from '../../contacts/ports.ts';
import { requestSignal } from '../request-signal.ts';

export interface MessagesRoutes {
  readonly chat: Chat;
  readonly contacts: Contacts;
  /** Aborts when the daemon stops. */
  readonly stopping: AbortSignal;
}

const defaultLimit = 100;

export const messagesRoutes: FastifyPluginAsyncZod<MessagesRoutes> = async (app, { chat, contacts, stopping }) => {
  app.post(
    '/v1/messages',
    { schema: { description: 'Makes the peer a contact and sends it a message. Answers when it is delivered or durably queued.', body: sendMessageRequestSchema, response: { 200: sendMessageResponseSchema } } },
    async (request, reply): Promise<SendMessageResponse> => {
      const { id, name, warnings } = contacts.choose(request.body.peer);
      await contacts.pin({ id, name });
      using waiting = requestSignal(reply, stopping);
      return { ...(await chat.send({ id, name }, request.body.text, waiting.signal)), warnings: [...warnings] };
    },
  );

  app.get(
    '/v1/messages',
    { schema: { description: 'The latest messages, oldest first: of all contacts, of one peer, or of strangers.', querystring: messagesQuerySchema, response: { 200: messagesResponseSchema } } },
    async ({ query }): Promise<MessagesResponse> => {
      const peer = query.peer === undefined ? undefined : contacts.resolve(query.peer);
      const messages = await chat.messages({ ...(peer ? { peer: peer.id } : {}), strangers: query.strangers === 'true', limit: query.limit ?? defaultLimit });
      return { ...(peer ? { peer: { id: peer.id, name: escapeText(peer.name) } } : {}), messages };
    },
  );
};
