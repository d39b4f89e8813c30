/** GET /v1/contacts, POST /v1/contacts, POST /v1/peers/:peer/forget */
import {
  contactsResponseSchema, escapeText, type ForgetResponse, forgetResponseSchema, peerIdSchema, type PeerId, PeerdError, shortPeerId, trustRequestSchema, type TrustResponse, trustResponseSchema,
} from '@peerd/protocol';
import { nameSettingSchema, parseHostPort } from '@peerd/service';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Contact, Contacts } from '../../contacts/ports.ts';
import type { Chat } from '../../chat/ports.ts';
import type { Policies } from '../../contacts/policies.ts';
import type { IntroductionRequests } from '../../introductions/requests.ts';
import type { Links } from '../../peer/ports.ts';
import type { Transfers } from '../../transfer/ports.ts';
import { contactsView, contactView, type KnownPeers } from '../peers-view.ts';

export interface ContactsRoutes {
  readonly known: KnownPeers;
  readonly contacts: Contacts;
  readonly self: PeerId;
  readonly links: Pick<Links, 'disconnect'>;
  readonly policies: Pick<Policies, 'clear'>;
  readonly requests: Pick<IntroductionRequests, 'forget'>;
  readonly chat: Pick<Chat, 'disown'>;
  readonly transfers: Pick<Transfers, 'unfinishedWith'>;
  /** What `peers` shows has changed. */
  readonly onChange: () => void;
}

const params = z.object({ peer: z.string().min(1) });

export const contactsRoutes: FastifyPluginAsyncZod<ContactsRoutes> = async (app, options) => {
  const { known, contacts, self } = options;
  app.get('/v1/contacts', { schema: { description: 'The peers that this daemon trusts by key.', response: { 200: contactsResponseSchema } } }, async () => ({
    contacts: contactsView(known),
  }));

  app.post(
    '/v1/contacts',
    { schema: { description: 'Makes a peer a contact: one that is seen, or ID@HOST:PORT.', body: trustRequestSchema, response: { 200: trustResponseSchema } } },
    async ({ body }): Promise<TrustResponse> => {
      const given = parseGiven(body.peer);
      if (given?.id === self) throw new PeerdError('invalid_argument', 'that is the id of this daemon itself', { hint: 'Ask the other person for the id that `peerctl whoami` shows there.' });
      const peer = given ? { ...given, name: nameOf(given.id, known), warnings: [] } : contacts.resolve(body.peer);
      const { contact, added } = await contacts.pin({
        id: peer.id,
        name: body.name === undefined ? peer.name : checkedName(body.name),
        ...(given ? { addresses: [given.address] } : {}),
      });
      return { contact: contactView(contact, known), state: added ? 'pinned' : 'already_pinned', warnings: added ? [...peer.warnings] : [] };
    },
  );

  app.post(
    '/v1/peers/:peer/forget',
    { schema: { description: 'Drops a contact with its policy, its addresses and its verification, and ends the link. Refused while transfers with it are not over.', params, response: { 200: forgetResponseSchema } } },
    async (request) => forget(contacts.resolve(request.params.peer), options),
  );
};

const forget = async ({ id, name }: { id: PeerId; name: string }, { contacts, links, policies, requests, chat, transfers, onChange }: ContactsRoutes): Promise<ForgetResponse> => {
  const unfinished = transfers.unfinishedWith(id);
  const [first] = unfinished;
  if (first)
    throw new PeerdError('wrong_state', `${unfinished.length === 1 ? 'a transfer' : `${unfinished.length} transfers`} with ${escapeText(name)} ${unfinished.length === 1 ? 'is' : 'are'} not over`, {
      hint: `Wait for the end, or end it: peerctl cancel ${first.id}`,
      details: { transfers: unfinished.slice(0, 100).map((transfer) => transfer.id) },
    });
  // The contact first: while it is one, a link that ends is dialled again.
  const contact = await contacts.forget(id);
  const policy = await policies.clear(id);
  await requests.forget(id);
  const droppedMessages = await chat.disown(id);
  await links.disconnect(id);
  onChange();
  return { peer: { id, name: escapeText(name) }, state: contact || policy ? 'forgotten' : 'already_forgotten', droppedMessages };
};

/** `ID@HOST:PORT`. A name may hold an `@` too, so only a whole id in front of it counts. */
const parseGiven = (text: string): { id: PeerId; address: Contact['addresses'][number] } | undefined => {
  const at = text.indexOf('@');
  const id = peerIdSchema.safeParse(text.slice(0, Math.max(at, 0)).trim().replaceAll('-', '').toLowerCase());
  if (!id.success) return undefined;
  const address = parseHostPort(text.slice(at + 1).trim());
  if (!address || address.port === 0)
    throw new PeerdError('invalid_argument', `"${escapeText(text.slice(at + 1))}" is not HOST:PORT`, { hint: 'Write ID@HOST:PORT, for example ID@192.0.2.7:12001 or ID@[2001:db8::7]:12001.' });
  return { id: id.data, address };
};

/** What the peer calls itself where it is seen, else the start of its id. */
const nameOf = (id: PeerId, known: KnownPeers): string => known.links.get(id)?.name ?? known.roster.get(id)?.name ?? shortPeerId(id);

const checkedName = (name: string): string => {
  const result = nameSettingSchema.safeParse(name);
  if (result.success) return result.data;
  throw new PeerdError('invalid_argument', `name: ${result.error.issues[0]?.message ?? 'invalid'}`, { hint: 'Give the contact another name, or none: then it has the one that the peer gives itself.' });
};
