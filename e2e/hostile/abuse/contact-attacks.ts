/** What a contact may say, said without end: each costs its victim a query or a directory. */
import { chatAck, chunkFrameType, compare, dataConnectionsTaken, dataRequest, encodeFrameHeader, encodeMessage, MiB, offer as offerMessage, ping, type TransferId, verifyCommit } from '@peerd/protocol';
import { newUlid } from '@peerd/service';
import { consent, file, makeOffer, openData, propose } from '../../harness/scripted-offer.ts';
import type { ScriptedData } from '../../harness/scripted-peer.ts';
import type { Attack } from './attack.ts';
import { idle } from './manifest-attacks.ts';

const newOffer = (): Buffer => encodeMessage(offerMessage, makeOffer([file(['x'])]).body);

const chunkSize = 4 * MiB;

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
  {
    name: 'data connections that stop within a chunk', victim: 'peerd', told: /^64 held, 0 more$/, metric: 'peerd_data_connections_refused_total', mostBytes: 320 * MiB,
    run: async (stage) => {
      const { peer, link } = await stage.contact();
      using _ = link;
      await stage.victim.json('policy', peer.id, 'auto');
      const accepted = async (): Promise<TransferId> => {
        const offer = makeOffer([file(['half'], Buffer.alloc(chunkSize))], { chunkSize });
        await propose(link, offer);
        await consent(link, offer);
        return offer.transfer;
      };
      const held: ScriptedData[] = [];
      // As many as are read of each.
      for (let count = 0; count < 8; count += 1) {
        const transfer = await accepted();
        for (let connection = 0; connection < dataConnectionsTaken; connection += 1) {
          const data = await openData(peer, stage.target, link, transfer);
          data.write(encodeFrameHeader(chunkFrameType, chunkSize));
          data.write(Buffer.alloc(chunkSize / 2));
          held.push(data);
        }
      }
      await Promise.all(held.map(({ channel }) => channel.drained()));
      const transfer = await accepted();
      const before = link.heard.filter(({ kind }) => kind === 'data-token').length;
      link.say(dataRequest, { transfer });
      // A token would come first.
      link.say(ping, { seq: 8 });
      await link.next('pong', ({ seq }) => seq === 8);
      const more = link.heard.filter(({ kind }) => kind === 'data-token').length - before;
      return `${held.filter(({ channel }) => !channel.signal.aborted).length} held, ${more} more`;
    },
  },
];
