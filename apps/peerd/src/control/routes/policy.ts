/** GET /v1/peers/:peer/policy, POST /v1/peers/:peer/policy */
import { escapeText, PeerdError, type PeerId, type PolicyRequest, policyRequestSchema, type PolicyResponse, policyResponseSchema, shortPeerId } from '@peerd/protocol';
import type { Logger } from '@peerd/service';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Grant, patternProblem } from '../../contacts/grant.ts';
import { hasScope, type Policies } from '../../contacts/policies.ts';
import type { Contacts, ResolvedPeer } from '../../contacts/ports.ts';
import type { IntroductionRequests } from '../../introductions/requests.ts';
import type { LinkLayer } from '../../peer/links.ts';
import { checkDestination } from '../../transfer/destination.ts';
import type { Transfers } from '../../transfer/ports.ts';

export interface PolicyRoutes {
  readonly contacts: Pick<Contacts, 'resolve'>;
  readonly policies: Pick<Policies, 'set' | 'view' | 'isBlocked'>;
  readonly links: Pick<LinkLayer, 'disconnect' | 'resume'>;
  readonly transfers: Pick<Transfers, 'turnAway'>;
  readonly requests: Pick<IntroductionRequests, 'forget'>;
  readonly logger: Logger;
  readonly now: () => number;
  /** What `peers` shows has changed. */
  readonly onChange: () => void;
}

const params = z.object({ peer: z.string().min(1) });

export const policyRoutes: FastifyPluginAsyncZod<PolicyRoutes> = async (app, { contacts, policies, links, transfers, requests, logger, now, onChange }) => {
  const answer = ({ id, name, trust }: ResolvedPeer, warnings: readonly string[]): PolicyResponse => ({
    peer: { id, name: escapeText(name) }, policy: policies.view(id, trust), warnings: [...warnings],
  });

  app.get(
    '/v1/peers/:peer/policy',
    { schema: { description: 'What happens to offers of this peer.', params, response: { 200: policyResponseSchema } } },
    async ({ params: { peer } }) => {
      const resolved = contacts.resolve(peer);
      return answer(resolved, resolved.warnings);
    },
  );

  app.post(
    '/v1/peers/:peer/policy',
    {
      schema: {
        description: 'Replaces the policy of a peer. It makes nobody a contact. `block` also ends the link and rejects what waits in the inbox.',
        params, body: policyRequestSchema, response: { 200: policyResponseSchema },
      },
    },
    async ({ params: { peer }, body }) => {
      const resolved = contacts.resolve(peer);
      const { id } = resolved;
      const grant = await checkedGrant(body, now());
      const wasBlocked = policies.isBlocked(id);
      await policies.set(resolved, body.kind, grant);
      logger.info({ peer: id, policy: body.kind, ...(grant ? { grant } : {}) }, 'a policy was set');
      const warnings = [...resolved.warnings];
      if (body.kind === 'block') await requests.forget(id);
      if (body.kind === 'block') warnings.push(...(await turnAway(id, links, transfers)));
      else if (wasBlocked) links.resume(id);
      onChange();
      return answer(resolved, warnings);
    },
  );
};

const turnAway = async (id: PeerId, links: PolicyRoutes['links'], transfers: PolicyRoutes['transfers']): Promise<string[]> => {
  // First the link: what is rejected behind it tells nobody why.
  await links.disconnect(id);
  const unfinished = await transfers.turnAway(id);
  return unfinished === 0 ? [] : [`${unfinished} of its transfers ${unfinished === 1 ? 'is' : 'are'} not over and will go on when ${shortPeerId(id)} is no longer blocked; \`peerctl cancel\` ends them`];
};

/** @throws PeerdError `invalid_argument` */
const checkedGrant = async ({ kind, into, maxBytes, match, until }: PolicyRequest, now: number): Promise<Grant | undefined> => {
  const grant: Grant = { into, maxBytes, match, until };
  if (!hasScope(grant)) return undefined;
  if (kind !== 'auto') throw new PeerdError('invalid_argument', `a scope goes with auto, not with ${kind}`, { hint: 'Leave --into, --max-bytes, --match and --until away.' });
  if (into !== undefined) await checkDestination(into, 'Make it first with mkdir -p.');
  const problem = match === undefined ? undefined : patternProblem(match);
  if (problem !== undefined) throw new PeerdError('invalid_argument', `match: ${escapeText(match ?? '')} is no usable pattern: ${escapeText(problem)}`, { hint: "For example --match '*.jpg' or --match '{photo,video}-*'." });
  if (until !== undefined && until <= now) throw new PeerdError('invalid_argument', `until: ${new Date(until).toISOString()} is over already`, { hint: 'Give a time to come, such as 7d.' });
  return grant;
};
