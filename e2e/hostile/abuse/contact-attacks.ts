/** What a contact may say, said without end: each costs its victim a query or a directory. */
import { chatAck, compare, encodeMessage, offer as offerMessage, verifyCommit } from '@peerd/protocol';
import { newUlid } from '@peerd/service';
import { file, makeOffer } from '../../harness/scripted-offer.ts';
import type { Attack } from './attack.ts';
import { idle } from './manifest-attacks.ts';

const newOffer = (): Buffer => encodeMessage(offerMessage, makeOffer([file(['x'])]).body);

export const contactAttacks: readonly Attack[] = [
  {
    name: 'offers of a contact', victim: 'peerd', told: /^too_many_offers, read slowly$/, metric: 'peerd_offers_refused_total{reason="too_many_offers"}',
    run: async (stage) => {
      const { link } = await stage.contact();
      using _ = link;
      const taken = Array.from({ length: 256 }, () => makeOffer([file(['x'])]).body);
      for (const body of taken) link.say(offerMessage, body);
      await link.next('manifest-request', ({ transfer }) => transfer === taken.at(-1)?.transfer);
      const read = await idle(link, newOffer);
      return `${(await link.next('reject')).code}, ${read}`;
    },
  },
  {
    name: 'acknowledgements of nothing', victim: 'peerd', told: /^read slowly$/, metric: 'peerd_paced_seconds_total{what="messages"}',
    run: async (stage) => {
      const { link } = await stage.contact();
      using _ = link;
      return await idle(link, () => encodeMessage(chatAck, { id: newUlid() }), { burst: 256, perSecond: 20 });
    },
  },
  {
    name: 'questions of a contact', victim: 'peerd', told: /^read slowly$/, metric: 'peerd_paced_seconds_total{what="questions"}',
    run: async (stage) => {
      const { peer, link } = await stage.contact();
      using _ = link;
      await stage.victim.json('policy', peer.id, 'auto');
      return await idle(link, () => encodeMessage(compare, makeOffer([file(['x'])]).body), { burst: 64, perSecond: 4 });
    },
  },
  {
    name: 'comparisons of codes', victim: 'peerd', told: /^read slowly$/, metric: 'peerd_paced_seconds_total{what="verification"}',
    run: async (stage) => {
      const { link } = await stage.contact();
      using _ = link;
      return await idle(link, () => encodeMessage(verifyCommit, { commitment: Buffer.alloc(32) }), { burst: 32, perSecond: 2 });
    },
  },
];
