/** What others make their victim hold in memory: content under way, after consent, and messages that wait. */
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import {
  chunkFrameType, compare, dataConnectionsTaken, dataRequest, encodeFrameHeader, encodeMessage, KiB, manifestPage, manifestPageMaxBytes, maxChunkSize, MiB, ping, type TransferId,
} from '@peerd/protocol';
import { newUlid } from '@peerd/service';
import { chunkFrame, consent, deliver, file, makeOffer, openData, propose } from '../../harness/scripted-offer.ts';
import type { ScriptedData, ScriptedLink, ScriptedPeer } from '../../harness/scripted-peer.ts';
import type { Attack } from './attack.ts';
import { metricAt } from './measure.ts';
import type { Stage } from './stage.ts';

interface Contact {
  readonly peer: ScriptedPeer;
  readonly link: ScriptedLink;
}

/** Data connections of one transfer, each with the index of its first chunk. */
interface Strand {
  readonly data: ScriptedData;
  readonly first: number;
}

const chunksEach = 2;

/** Somebody whose offers are taken without asking. */
const trusted = async (stage: Stage): Promise<Contact> => {
  const contact = await stage.contact();
  await stage.victim.json('policy', contact.peer.id, 'auto');
  return contact;
};

/** A file of as many chunks as its connections are to bring. */
const accepted = async (link: ScriptedLink): Promise<TransferId> => {
  const offer = makeOffer([{ ...file(['large'], ''), size: dataConnectionsTaken * chunksEach * maxChunkSize }], { chunkSize: maxChunkSize });
  await propose(link, offer);
  await consent(link, offer);
  return offer.transfer;
};

/** Of each transfer as many as are read. */
const connectionsOf = async (stage: Stage, { peer, link }: Contact, transfers: number): Promise<Strand[]> => {
  const strands: Strand[] = [];
  for (let count = 0; count < transfers; count += 1) {
    const transfer = await accepted(link);
    for (let connection = 0; connection < dataConnectionsTaken; connection += 1) strands.push({ data: await openData(peer, stage.target, link, transfer), first: connection * chunksEach });
  }
  return strands;
};

const pinged = async (link: ScriptedLink): Promise<void> => {
  const seq = randomBytes(4).readUInt32BE();
  link.say(ping, { seq });
  await link.next('pong', (body) => body.seq === seq);
};

/** Nothing more is taken in: while the victim answered so many pings, it was as much as before. */
const quietPings = 12;

/** @returns bytes that the victim holds of content under way, once it takes no more */
const heldBytes = async (stage: Stage, link: ScriptedLink): Promise<number> => {
  const held = (): Promise<number> => metricAt(stage.metrics, 'peerd_content_memory_bytes');
  let before = await held();
  for (let quiet = 0; quiet < quietPings; quiet += 1) {
    await pinged(link);
    const now = await held();
    if (now !== before) quiet = 0;
    before = now;
  }
  return before;
};

/** As docs/security.md bounds them. */
const peerBytes = 64 * MiB;
const sharedBytes = 192 * MiB;
const ownBytes: number = 2 * (maxChunkSize + 64 * KiB);

/** Half of the bound is taken, or the attack was none. */
const within = (bytes: number, most: number): string => (bytes > most / 2 && bytes <= most ? 'within the bound' : `${(bytes / MiB).toFixed(0)} MiB`);

/** Pages of the largest size that peers who are no contacts may have under way, all together. */
const largeOfStrangers = 24;

const stopWithinChunks = (strands: readonly Strand[]): void => {
  for (const { data } of strands) {
    data.write(encodeFrameHeader(chunkFrameType, maxChunkSize));
    data.write(Buffer.alloc(maxChunkSize - 1));
  }
};

export const memoryAttacks: readonly Attack[] = [
  {
    name: 'data connections that stop within a chunk', victim: 'peerd', told: /^64 open, within the bound, 0 more$/, metric: 'peerd_data_connections_refused_total', mostBytes: 300 * MiB,
    run: async (stage) => {
      const contact = await trusted(stage);
      const { link } = contact;
      using _ = link;
      const strands = await connectionsOf(stage, contact, 8);
      stopWithinChunks(strands);
      const held = await heldBytes(stage, link);
      const transfer = await accepted(link);
      const tokens = (): number => link.heard.filter(({ kind }) => kind === 'data-token').length;
      const before = tokens();
      link.say(dataRequest, { transfer });
      // A token would come first.
      await pinged(link);
      return `${strands.filter(({ data }) => !data.channel.signal.aborted).length} open, ${within(held, peerBytes)}, ${tokens() - before} more`;
    },
  },
  {
    name: 'contacts that stop within a chunk together', victim: 'peerd', told: /^within the bound, delivered$/, metric: 'peerd_content_waits_total', mostBytes: 500 * MiB,
    run: async (stage) => {
      const contacts = await Promise.all(Array.from({ length: 5 }, () => trusted(stage)));
      const links = contacts.map(({ link }) => link);
      const [one] = links;
      if (!one) throw new Error('somebody attacks');
      try {
        for (const each of await Promise.all(contacts.map((contact) => connectionsOf(stage, contact, 2)))) stopWithinChunks(each);
        const held = await heldBytes(stage, one);
        const { peer, link } = await trusted(stage);
        using _ = link;
        const honest = makeOffer([file(['honest'], randomBytes(2 * maxChunkSize))], { chunkSize: maxChunkSize });
        await propose(link, honest);
        await consent(link, honest);
        await deliver(peer, stage.target, link, honest);
        return `${within(held, sharedBytes + contacts.length * ownBytes)}, delivered`;
      } finally {
        for (const link of links) link[Symbol.dispose]();
      }
    },
  },
  {
    name: 'whole chunks at full speed', victim: 'peerd', told: /^64 done$/, metric: 'peerd_content_waits_total', mostBytes: 300 * MiB,
    run: async (stage) => {
      const contact = await trusted(stage);
      const { link } = contact;
      using _ = link;
      const strands = await connectionsOf(stage, contact, 8);
      const content = randomBytes(maxChunkSize);
      const frames = new Map<number, Buffer>();
      const frame = (index: number): Buffer => frames.get(index) ?? frames.set(index, chunkFrame(index, content)).get(index) ?? content;
      const done = await Promise.all(strands.map(async ({ data, first }) => {
        for (let index = first; index < first + chunksEach; index += 1) {
          data.write(frame(index));
          await data.channel.drained();
        }
        data.channel.end();
        return await data.ended;
      }));
      return `${done.filter((code) => code === 'none').length} done`;
    },
  },
  {
    name: 'accepted transfers whose content never comes', victim: 'peerd', told: /^60 accepted$/, metric: 'peerd_transfers_active{direction="receive",state="connecting"}', mostBytes: 160 * MiB,
    run: async (stage) => {
      const { link } = await trusted(stage);
      using _ = link;
      const transfers = new Set<TransferId>();
      while (transfers.size < 60) transfers.add(await accepted(link));
      return `${transfers.size} accepted`;
    },
  },
  {
    name: 'messages of strangers that wait', victim: 'peerd', told: /^8 gave way, too_many_connections$/, metric: 'peerd_links_ended_total{reason="too_many_connections"}',
    run: async (stage) => {
      const links = await Promise.all(Array.from({ length: largeOfStrangers + 8 }, () => stage.stranger()));
      try {
        const question = encodeMessage(compare, makeOffer([file(['x'])]).body);
        const page = encodeMessage(manifestPage, { transfer: newUlid(), index: 0, page: Buffer.alloc(manifestPageMaxBytes - 100) });
        const ended = new Map<ScriptedLink, string>();
        const news = new EventEmitter();
        for (const link of links) {
          void link.ended.then((code) => {
            ended.set(link, code);
            news.emit('one');
          });
          // After 64 questions one is answered in 250 ms. The pages wait behind them.
          for (let count = 0; count < 64 + 12; count += 1) link.write(question);
          for (let count = 0; count < 4; count += 1) link.write(page);
        }
        const patience = AbortSignal.timeout(10_000);
        while (ended.size < 8 && !patience.aborted) await once(news, 'one', { signal: patience }).catch(() => {});
        for (const link of links) if (!ended.has(link)) await pinged(link);
        return `${ended.size} gave way, ${[...new Set(ended.values())].join(' ')}`;
      } finally {
        for (const link of links) link[Symbol.dispose]();
      }
    },
  },
];
