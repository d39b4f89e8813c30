/** What an offender can do without end, each until its signal aborts; what is asserted of all of them stands in the test. */
import { zstdCompressSync } from 'node:zlib';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  chat, chunkFrameType, encodeCompressedHeader, encodeFrame, encodeMessage, introduce, minChunkSize, MiB, offer as offerMessage, type PeerdError, type PeerId, ping, rendezvousAlpn,
} from '@peerd/protocol';
import { awaitHello, newUlid } from '@peerd/service';
import { consent, file, makeOffer, openData, propose } from '../../harness/scripted-offer.ts';
import type { ScriptedLink } from '../../harness/scripted-peer.ts';
import type { Attack } from './attack.ts';
import { contactAttacks } from './contact-attacks.ts';
import { connections, flood } from './flood.ts';
import { manifestAttacks } from './manifest-attacks.ts';
import { memoryAttacks } from './memory-attacks.ts';
import { slowAttacks } from './slow-attacks.ts';
import { hostOf, type Stage } from './stage.ts';
import { stormAttacks } from './storm-attacks.ts';

/** 10,000 connections, of which 64 of one address may wait: a hundred come at a time, and as many leave. */
const silent = (to: { host: string; port: number }): Promise<string> => {
  const enough = new AbortController();
  let opened = 0;
  return connections(to, 10_000, 64, enough.signal, () => {
    opened += 1;
    if (opened === 10_000) enough.abort();
  });
};

/** TLS is up and nothing follows, more at a time than may wait. @returns what the first one hears */
const withoutHello = async (stage: Stage, to: { host: string; port: number; id: PeerId }, protocol: string | undefined, signal: AbortSignal): Promise<string> => {
  const offender = await stage.offender();
  // Who is not welcome gets no further than TLS.
  await offender.pinnedAt(stage.victim);
  const first = await offender.dial(to, protocol);
  const heard = awaitHello(first, AbortSignal.timeout(20_000)).then(() => 'hello', (error: { code?: string }) => error.code ?? 'none');
  for (let opened = 1; opened < 65 || !signal.aborted; opened += 8) await Promise.all(Array.from({ length: 8 }, () => offender.dial(to, protocol)));
  return heard;
};

const chatFrame = (): Buffer => encodeMessage(chat, { id: newUlid(), text: 'x'.repeat(200), sentAt: Date.now() });

/** Links again and again with a key that is welcome. @returns what it hears each time */
const again = async (stage: Stage, frame: () => Buffer, signal: AbortSignal): Promise<string> => {
  const { peer, link: first } = await stage.contact();
  const heard = new Set<string>();
  for (let link: ScriptedLink | undefined = first; ; ) {
    if (link) {
      await flood(link, frame, AbortSignal.timeout(20_000));
      heard.add(await link.ended);
    }
    if (signal.aborted) return [...heard].join(' ');
    peer.nonce = randomBytes(16);
    // After some times it is not let in at once.
    link = await peer.link(stage.target).catch((error: PeerdError) => void heard.add(error.code));
  }
};

const refusedOffer = (announced: object): Buffer => encodeMessage(offerMessage, { ...makeOffer([file(['x'])]).body, ...announced });

/** A frame of a few KiB that says it stands for one chunk, and holds 256 MiB. */
const bomb = (): Buffer => {
  const content = zstdCompressSync(Buffer.alloc(256 * MiB));
  return Buffer.concat([encodeCompressedHeader(chunkFrameType, minChunkSize + 40, content.length), content]);
};

export const attacks: readonly Attack[] = [
  {
    name: 'silent TCP', victim: 'peerd', told: /^dropped$/, metric: 'peerd_inbound_refused_total{reason="too_many_connections"}',
    run: ({ target: { host, port } }) => silent({ host, port }),
  },
  {
    name: 'silent TCP at a rendezvous', victim: 'rendezvous', told: /^dropped$/, metric: 'rendezvous_connections_refused_total{reason="too_many_connections"}',
    run: ({ rendezvous }) => silent(hostOf(rendezvous.address)),
  },
  {
    name: 'TLS without hello', victim: 'peerd', told: /^too_many_connections$/, metric: 'peerd_inbound_refused_total{reason="too_many_connections"}',
    run: (stage, signal) => withoutHello(stage, stage.target, undefined, signal),
  },
  {
    name: 'TLS without hello at a rendezvous', victim: 'rendezvous', told: /^too_many_connections$/, metric: 'rendezvous_connections_refused_total{reason="too_many_connections"}',
    run: (stage, signal) => withoutHello(stage, { ...hostOf(stage.rendezvous.address), id: stage.rendezvous.id }, rendezvousAlpn, signal),
  },
  {
    name: 'offers of a stranger', victim: 'peerd', told: /^too_many_offers$/, metric: 'peerd_paced_seconds_total{what="offers"}',
    run: async (stage, signal) => {
      using link = await stage.stranger();
      for (let count = 0; count < 8; count += 1) await propose(link, makeOffer([file(['x'])]));
      await flood(link, () => refusedOffer({}), signal);
      return (await link.next('reject')).code;
    },
  },
  {
    name: 'manifests beyond any bound', victim: 'peerd', told: /^manifest_too_large$/, metric: 'peerd_offers_refused_total{reason="manifest_too_large"}',
    run: async (stage, signal) => {
      using link = await stage.stranger();
      await flood(link, () => refusedOffer({ manifestBytes: 1_000 * MiB, pages: 100_000 }), signal);
      return (await link.next('reject')).code;
    },
  },
  {
    name: 'chat of a stranger', victim: 'peerd', told: /^100 acknowledged$/, metric: 'peerd_messages_refused_total',
    run: async (stage, signal) => {
      using link = await stage.stranger();
      const refused = stage.victim.daemon?.line(({ msg }) => msg?.includes('a message was not stored') === true);
      await flood(link, chatFrame, signal);
      await refused;
      for (let count = 0; count < 100; count += 1) await link.next('chat-ack');
      return `${link.heard.filter(({ kind }) => kind === 'chat-ack').length} acknowledged`;
    },
  },
  {
    // Without the bound, more would be stored meanwhile than may be read.
    name: 'chat of a contact', victim: 'peerd', told: /^read slowly$/, metric: 'peerd_paced_seconds_total{what="messages"}', leastMs: 5_000,
    run: async (stage, signal) => {
      const { link } = await stage.contact();
      const started = performance.now();
      const said = await flood(link, chatFrame, signal);
      await link.next('chat-ack');
      const read = link.heard.filter(({ kind }) => kind === 'chat-ack').length;
      // 256 at once, then 20 in a second.
      const may = 256 + 20 * Math.ceil((performance.now() - started) / 1_000);
      link[Symbol.dispose]();
      return read <= may && read < said ? 'read slowly' : `${read} of ${said} were read`;
    },
  },
  {
    name: 'pings', victim: 'peerd', told: /^rate_limited$/, metric: 'peerd_links_ended_total{reason="rate_limited"}',
    run: (stage, signal) => again(stage, () => encodeMessage(ping, { seq: 1 }), signal),
  },
  {
    name: 'unknown frames', victim: 'peerd', told: /^rate_limited$/, metric: 'peerd_links_ended_total{reason="rate_limited"}',
    run: (stage, signal) => again(stage, () => encodeFrame(0x7e, Buffer.alloc(1_000)), signal),
  },
  {
    name: 'asks and never reads', victim: 'peerd', told: /^(slow_consumer|none)$/, metric: 'peerd_links_ended_total{reason="slow_consumer"}',
    run: async (stage) => {
      const { link } = await stage.contact();
      link.stopReading();
      // Until what the kernel holds for us is full, however long that takes; the reason may be lost behind it.
      await flood(link, () => refusedOffer({ manifestBytes: 1_000 * MiB }), AbortSignal.timeout(20_000));
      link.goOnReading();
      return Promise.race([link.ended, sleep(5_000, 'still linked', { ref: false })]);
    },
  },
  {
    name: 'introductions at a rendezvous', victim: 'rendezvous', told: /^rate_limited$/, metric: 'rendezvous_frames_rejected_total{reason="rate_limited"}',
    run: async (stage, signal) => {
      const heard = new Set<string>();
      do {
        // With a key that has a budget: the same one is not let in again at once.
        const registration = await (await stage.offender()).register(stage.rendezvous.address);
        let request = 0;
        await flood(registration, () => encodeMessage(introduce, { request: (request += 1), peer: stage.target.id }), AbortSignal.timeout(20_000));
        heard.add(await registration.ended);
      } while (!signal.aborted);
      return [...heard].join(' ');
    },
  },
  {
    name: 'compressed bombs', victim: 'peerd', told: /^malformed_frame$/, metric: 'peerd_transfers_total{direction="receive",outcome="failed"}',
    run: async (stage, signal) => {
      const { peer, link } = await stage.contact();
      await stage.victim.json('policy', peer.id, 'auto');
      const frame = bomb();
      const heard = new Set<string>();
      do {
        const offer = makeOffer([file(['bomb'], Buffer.alloc(minChunkSize))]);
        await propose(link, offer);
        await consent(link, offer);
        using data = await openData(peer, stage.target, link, offer.transfer);
        data.write(frame);
        heard.add((await link.next('failed', ({ transfer }) => transfer === offer.transfer)).code);
      } while (!signal.aborted);
      link[Symbol.dispose]();
      return [...heard].join(' ');
    },
  },
  {
    name: 'slow HTTP', victim: 'peerd', told: /^dropped$/, metric: 'http_connections_dropped_total',
    run: (stage, signal) => connections(hostOf(stage.metrics), 400, 128, signal, (socket) => socket.write('GET /metrics HTTP/1.1\r\n')),
  },
  ...stormAttacks,
  ...slowAttacks,
  ...manifestAttacks,
  ...contactAttacks,
  ...memoryAttacks,
];
