/** What others make their victim hold in memory: content under way, after consent, and messages that wait. */
import { randomBytes } from 'node:crypto';
import { chunkFrameType, compare, dataConnectionsTaken, dataRequest, encodeFrameHeader, encodeMessage, manifestPage, manifestPageMaxBytes, maxChunkSize, MiB, ping, type TransferId } from '@peerd/protocol';
import { newUlid } from '@peerd/service';
import { chunkFrame, consent, file, makeOffer, openData, propose } from '../../harness/scripted-offer.ts';
import type { ScriptedData, ScriptedLink, ScriptedPeer } from '../../harness/scripted-peer.ts';
import type { Attack } from './attack.ts';
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

/** Of 8 transfers, as many as are read of each. */
const transfers = 8;
const chunksEach = 4;

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

/** All that a contact may have. */
const everyConnection = async (stage: Stage, { peer, link }: Contact): Promise<Strand[]> => {
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

/** Nothing more is taken: while the victim answered so many pings, it was as much as before. */
const quietPings = 12;

/** @returns how many of them have nothing left that the victim did not take, once it takes no more */
const taken = async (link: ScriptedLink, strands: readonly Strand[]): Promise<number> => {
  const left = (): number => strands.reduce((sum, { data }) => sum + data.channel.queuedBytes, 0);
  for (let quiet = 0, before = left(); quiet < quietPings; quiet += 1) {
    await pinged(link);
    const now = left();
    if (now !== before) quiet = 0;
    before = now;
  }
  return strands.filter(({ data }) => !data.channel.signal.aborted && data.channel.queuedBytes === 0).length;
};

const stopWithinChunks = (strands: readonly Strand[]): void => {
  for (const { data } of strands) {
    data.write(encodeFrameHeader(chunkFrameType, maxChunkSize));
    data.write(Buffer.alloc(maxChunkSize - 1));
  }
};

export const memoryAttacks: readonly Attack[] = [
  {
    name: 'data connections that stop within a chunk', victim: 'peerd', told: /^64 held, \d+ taken, 0 more$/, mostBytes: 1000 * MiB,
    run: async (stage) => {
      const contact = await trusted(stage);
      const { link } = contact;
      using _ = link;
      const strands = await everyConnection(stage, contact);
      const show = async (w: string) => console.error(w, strands.map(({ data }) => Math.round(data.channel.queuedBytes/1024)).join(' '), (await (await fetch(`http://${stage.metrics}/metrics`)).text()).split('\n').filter((l) => /^(peerd_content_mem|nodejs_external|nodejs_heap_size_used|process_resident|nodejs_heap_size_total|nodejs_array)/.test(l)).join('\n'));
      await show('0');
 stopWithinChunks(strands);
 const pid = stage.victim.daemon!.pid; const {readFileSync}=await import('node:fs'); const roll=()=>console.error(readFileSync(`/proc/${pid}/smaps_rollup`,'latin1').match(/^(Rss|Anonymous).*$/gm), readFileSync(`/proc/${pid}/smaps`,'latin1').split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/).map((b)=>[Number(/Rss: +(\d+)/.exec(b)?.[1]), b.split('\n')[0]] as const).sort((a,b)=>b[0]-a[0]).slice(0,40).map(([r,l])=>r+' '+l).join('\n')); 
      const count = await taken(link, strands);
      await show('1'); roll();
      const transfer = await accepted(link);
      const tokens = (): number => link.heard.filter(({ kind }) => kind === 'data-token').length;
      const before = tokens();
      link.say(dataRequest, { transfer });
      // A token would come first.
      await pinged(link);
      return `${strands.filter(({ data }) => !data.channel.signal.aborted).length} held, ${count} taken, ${tokens() - before} more`;
    },
  },
  {
    name: 'contacts that stop within a chunk together', victim: 'peerd', told: /^\d+ taken$/, mostBytes: 3000 * MiB,
    run: async (stage) => {
      const contacts = await Promise.all(Array.from({ length: Number(process.env['N'] ?? 6) }, () => trusted(stage)));
      try {
        const strands = await Promise.all(contacts.map((contact) => everyConnection(stage, contact)));
        for (const each of strands) stopWithinChunks(each);
        let count = 0;
        for (const [index, { link }] of contacts.entries()) count += await taken(link, strands[index] ?? []);
        return `${count} taken`;
      } finally {
        for (const { link } of contacts) link[Symbol.dispose]();
      }
    },
  },
  {
    name: 'whole chunks at full speed', victim: 'peerd', told: /^64 done$/, mostBytes: 2000 * MiB,
    run: async (stage) => {
      const contact = await trusted(stage);
      const { link } = contact;
      using _ = link;
      const strands = await everyConnection(stage, contact);
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
    name: 'messages of strangers that wait', victim: 'peerd', told: /^\d+ waiting$/, mostBytes: 2000 * MiB,
    run: async (stage) => {
      const links = await Promise.all(Array.from({ length: Number(process.env['N'] ?? 32) }, () => stage.stranger()));
      try {
        const question = encodeMessage(compare, makeOffer([file(['x'])]).body);
        const page = encodeMessage(manifestPage, { transfer: newUlid(), index: 0, page: Buffer.alloc(manifestPageMaxBytes - 64) });
        for (const link of links) {
          // Of the first ones, 64 are answered at once, and then one in 250 ms.
          for (let count = 0; count < 64 + 16; count += 1) link.write(question);
          for (let count = 0; count < 8; count += 1) link.write(page);
        }
        for (let quiet = 0, before = 0; quiet < 20; quiet += 1) {
          await stage.chat();
          const now = links.reduce((sum, { channel }) => sum + channel.queuedBytes, 0);
          if (now !== before) quiet = 0;
          before = now;
        }
        return `${links.filter(({ channel }) => channel.queuedBytes > 0).length} waiting`;
      } finally {
        for (const link of links) link[Symbol.dispose]();
      }
    },
  },
];
