/** Pages of manifests without end, what belongs to no transfer, and what was said already. */
import { encodeMessage, have, manifestPage, minChunkSize, offer as offerMessage, pauseAck, type PeerdError, ping } from '@peerd/protocol';
import { newUlid } from '@peerd/service';
import { consent, deliver, file, makeOffer, propose, type ScriptedOffer } from '../../harness/scripted-offer.ts';
import type { ScriptedLink } from '../../harness/scripted-peer.ts';
import type { Attack } from './attack.ts';

/** Messages that change nothing, as docs/security.md bounds them. */
const idleRate = { burst: 1_000, perSecond: 100 };

/** Says what nobody waits for, for two seconds more than is read at once. @returns how it was read */
export const idle = async (link: ScriptedLink, frame: (index: number) => Uint8Array, { burst, perSecond } = idleRate): Promise<string> => {
  // So many may wait when the ping is answered.
  const tooMany = burst + 64 + 2 * perSecond;
  const started = performance.now();
  for (let index = 0; index < tooMany; index += 1) {
    link.write(frame(index));
    await link.channel.drained();
  }
  // Read after all of them.
  link.say(ping, { seq: 7 });
  await link.next('pong', ({ seq }) => seq === 7);
  return tooMany - 64 <= burst + perSecond * Math.ceil((performance.now() - started) / 1_000) ? 'read slowly' : 'read at once';
};

const pageOf = ({ transfer, pages: [page] }: ScriptedOffer, index: number): Buffer => encodeMessage(manifestPage, { transfer, index, page: page ?? Buffer.alloc(0) });

export const manifestAttacks: readonly Attack[] = [
  {
    name: 'manifests that never end', victim: 'peerd', told: /^manifest_too_large too_many_offers$/, metric: 'peerd_offers_refused_total{reason="too_many_offers"}',
    run: async (stage) => {
      using link = await stage.stranger();
      const refused = async (offer: ScriptedOffer): Promise<string> => {
        link.say({ type: 0x40 }, offer.body);
        return (await link.next('reject', ({ transfer }) => transfer === offer.transfer)).code;
      };
      const small = makeOffer([file(['x'])], { announced: { entries: 1_000_000, pages: 4_097, manifestBytes: 60 * minChunkSize } });
      const heard = [await refused(small)];
      // A page for each entry, and the last ones never come.
      for (let count = 0; count < 8; count += 1) {
        const names = Array.from({ length: 500 }, (_, index) => file([String(index).padStart(4, '0')], ''));
        const pages = names.map((entry) => makeOffer([entry]).pages[0] ?? Buffer.alloc(0));
        const offer = makeOffer(names, { pages, announced: { pages: 4_096, entries: 100_000, manifestBytes: 60 * minChunkSize } });
        link.say({ type: 0x40 }, offer.body);
        await link.next('manifest-request', ({ transfer }) => transfer === offer.transfer);
        for (const [index, page] of pages.entries()) link.say(manifestPage, { transfer: offer.transfer, index, page });
      }
      return [...heard, await refused(makeOffer([file(['x'])]))].join(' ');
    },
  },
  {
    name: 'pages after the last one', victim: 'peerd', told: /^read slowly, delivered$/, metric: 'peerd_paced_seconds_total{what="idle"}',
    run: async (stage) => {
      const { peer, link } = await stage.contact();
      await stage.victim.json('policy', peer.id, 'auto');
      const offer = makeOffer([file(['pages'], Buffer.alloc(minChunkSize))]);
      await propose(link, offer);
      await consent(link, offer);
      const during = await idle(link, (index) => pageOf(offer, index));
      const outcome = await deliver(peer, stage.target, link, offer).then(() => 'delivered', (error: PeerdError) => error.message);
      link[Symbol.dispose]();
      return `${during}, ${outcome}`;
    },
  },
  {
    name: 'messages of no transfer, and pages before consent', victim: 'peerd', told: /^read slowly$/, metric: 'peerd_paced_seconds_total{what="idle"}',
    run: async (stage) => {
      using link = await stage.stranger();
      const offer = makeOffer([file(['undecided'])]);
      await propose(link, offer);
      return await idle(link, (index) => index % 2 === 0 ? pageOf(offer, index) : encodeMessage(have, { transfer: newUlid(), start: 0, hashes: Buffer.alloc(0), last: true }));
    },
  },
  {
    name: 'offers and pauses, again and again', victim: 'peerd', told: /^read slowly, read slowly$/, metric: 'peerd_paced_seconds_total{what="idle"}',
    run: async (stage) => {
      const frames = [({ body }: ScriptedOffer) => encodeMessage(offerMessage, body), ({ transfer }: ScriptedOffer) => encodeMessage(pauseAck, { transfer })];
      const heard = frames.map(async (frame) => {
        using link = await stage.stranger();
        const offer = makeOffer([file(['again'])]);
        await propose(link, offer);
        return await idle(link, () => frame(offer));
      });
      return (await Promise.all(heard)).join(', ');
    },
  },
];
