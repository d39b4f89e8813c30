/** Connections that begin each stage and end none, all at once. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { encodeMessage, hello, linkDeadMs, minChunkSize, peerAlpn, type PeerId, ping, rendezvousAlpn, sourceComplete } from '@peerd/protocol';
import { awaitHello, closeReason, greet } from '@peerd/service';
import { chunkFrame, consent, file, makeOffer, openData, propose } from '../../harness/scripted-offer.ts';
import type { ScriptedPeer } from '../../harness/scripted-peer.ts';
import type { Attack } from './attack.ts';
import { hostOf, type Stage } from './stage.ts';

type Place = { readonly host: string; readonly port: number; readonly id: PeerId };

/** Of each stage. */
const connectionsEach = 8;
/** Longer than any stage may take. */
const patienceMs = 25_000;
const dribbleMs = 500;

/** What a TLS client says first. */
const clientHello = async (): Promise<Buffer> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = connectTls({ host: '127.0.0.1', port }).on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
};

/** One byte after the other, until the other side has enough of it. */
const dribble = (write: (byte: Uint8Array) => void, bytes: Buffer, over: AbortSignal): void => {
  let at = 0;
  const timer = setInterval(() => write(bytes.subarray(at, (at += 1))), dribbleMs);
  over.addEventListener('abort', () => clearInterval(timer), { once: true });
};

const tcp = ({ host, port }: Place, first: Buffer): Promise<string> => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const over = new AbortController();
  // An error, as of a reset, comes before the end.
  const socket = connect({ host, port, localAddress: '127.0.0.2' }).on('error', () => {}).resume();
  socket.on('close', () => {
    over.abort();
    resolve('dropped');
  });
  if (first.length > 0) {
    socket.write(first.subarray(0, 20));
    dribble((byte) => socket.write(byte), first.subarray(20), over.signal);
  }
  return promise;
};

/** Of an HTTP request to the metrics, what `text` is. */
const http = (stage: Stage, text: string): Promise<string> => {
  const { promise, resolve } = Promise.withResolvers<string>();
  let heard = '';
  const socket = connect(hostOf(stage.metrics), () => socket.write(text)).setEncoding('latin1');
  socket.on('data', (piece: string) => (heard += piece)).on('error', () => {}).on('close', () => resolve(heard.slice(0, 12)));
  return promise;
};

/** After TLS. @param first what is said at once. @param rest byte by byte. @returns the code of the end */
const tls = async (peer: ScriptedPeer, to: Place, protocol: string, first: Buffer, rest: Buffer): Promise<string> => {
  const channel = await peer.dial(to, protocol);
  if (first.length > 0) channel.send(first);
  dribble((byte) => channel.send(byte), rest, channel.signal);
  return awaitHello(channel, AbortSignal.timeout(patienceMs)).then(() => 'hello', (error: { code?: string }) => error.code ?? 'none');
};

/** After `hello`: nothing more, or a frame that is never whole. */
const greeted = async (peer: ScriptedPeer, to: Place, rest: Buffer): Promise<string> => {
  const channel = await peer.dial(to, rendezvousAlpn);
  const { frames } = await greet(channel, peer.hello({ role: 'register' }), AbortSignal.timeout(patienceMs));
  dribble((byte) => channel.send(byte), rest, channel.signal);
  for await (const { type, payload } of frames) if (type === 0x04) return closeReason(payload).code;
  return 'none';
};

/** A link that is up, and then half a frame, byte by byte: no sign of life. */
const linked = async (stage: Stage): Promise<string> => {
  const { link } = await stage.contact();
  link.answersPings = false;
  const page = Buffer.alloc(1_000);
  page.writeUInt32BE(20_000);
  page[4] = 0x42;
  link.write(page.subarray(0, 100));
  dribble((byte) => link.write(byte), page.subarray(100), link.channel.signal);
  return link.ended;
};

/** An accepted transfer whose content stops within a chunk. @returns how it ends when, after everything else, a person cancels it */
const stopped = async (stage: Stage, others: Promise<unknown>): Promise<string> => {
  const { peer, link } = await stage.contact();
  await stage.victim.json('policy', peer.id, 'auto');
  const offer = makeOffer([file(['half'], Buffer.alloc(minChunkSize))]);
  await propose(link, offer);
  await consent(link, offer);
  using data = await openData(peer, stage.target, link, offer.transfer);
  data.write(chunkFrame(0, offer.chunks[0] ?? Buffer.alloc(0)).subarray(0, 1_000));
  await others;
  await stage.victim.json('cancel', offer.transfer);
  await link.next('cancel', ({ transfer }) => transfer === offer.transfer);
  link[Symbol.dispose]();
  return 'cancelled';
};

/** An honest peer whose only chunk takes longer than silence is borne. */
const slowContent = async (stage: Stage): Promise<string> => {
  const { peer, link } = await stage.contact();
  await stage.victim.json('policy', peer.id, 'auto');
  const offer = makeOffer([file(['slow'], Buffer.alloc(minChunkSize))]);
  await propose(link, offer);
  await consent(link, offer);
  const data = await openData(peer, stage.target, link, offer.transfer);
  const frame = chunkFrame(0, offer.chunks[0] ?? Buffer.alloc(0));
  const pieces = 1 + Math.ceil(linkDeadMs / dribbleMs);
  for (let piece = 0; piece < pieces; piece += 1) {
    await sleep(dribbleMs);
    data.write(frame.subarray(Math.floor((piece * frame.length) / pieces), Math.floor(((piece + 1) * frame.length) / pieces)));
  }
  data.channel.end();
  await data.ended;
  link.say(sourceComplete, { transfer: offer.transfer, contentRoot: offer.contentRoot, chunksSent: 1 });
  await link.next('receipt');
  link[Symbol.dispose]();
  return 'delivered';
};

/** Every connection of a stage must hear the same. */
const all = async (stages: Readonly<Record<string, () => Promise<string>>>): Promise<string> => {
  const heard = await Promise.all(
    Object.entries(stages).map(async ([name, connection]) => {
      const codes = await Promise.all(Array.from({ length: connectionsEach }, connection));
      return `${name}: ${[...new Set(codes)].join(' ')}`;
    }),
  );
  return heard.join(', ');
};

const half = (frame: Buffer): [Buffer, Buffer] => [frame.subarray(0, 5), frame.subarray(5, -1)];

/** From the connection to `hello`. */
const beforeHello = async (stage: Stage, peer: ScriptedPeer, to: Place, protocol: string): Promise<Record<string, () => Promise<string>>> => {
  const bytes = await clientHello();
  const mine = peer.hello(protocol === peerAlpn ? { role: 'data', token: Buffer.alloc(16) } : { role: 'register' });
  return {
    nothing: () => tcp(to, Buffer.alloc(0)),
    'half of TLS': () => tcp(to, bytes),
    TLS: () => tls(peer, to, protocol, Buffer.alloc(0), Buffer.alloc(0)),
    'half of hello': () => tls(peer, to, protocol, ...half(encodeMessage(hello, mine))),
  };
};

export const slowAttacks: readonly Attack[] = [
  {
    name: 'slow at each stage', victim: 'peerd', metric: 'peerd_inbound_refused_total{reason="handshake_timeout"}',
    told: /^nothing: dropped, half of TLS: dropped, TLS: handshake_timeout, half of hello: handshake_timeout, half of a frame: link_lost, half of a head: HTTP\/1.1 408, half of a body: HTTP\/1.1 200, half of a chunk: cancelled, slow content: delivered$/,
    run: async (stage) => {
      const peer = await stage.offender();
      await peer.pinnedAt(stage.victim);
      // They are never ended, and `GET /v1/status` is answered meanwhile.
      const requests = Array.from({ length: 200 }, () => connect(stage.victim.socket).on('error', () => {}).resume());
      for (const request of requests) request.write('POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{');
      try {
        const slow = slowContent(stage);
        const heard = all({
          ...(await beforeHello(stage, peer, stage.target, peerAlpn)),
          'half of a frame': () => linked(stage),
          'half of a head': () => http(stage, 'GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\n'),
          'half of a body': () => http(stage, 'GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100\r\nconnection: keep-alive\r\n\r\n{'),
        });
        const half = stopped(stage, Promise.all([heard, slow]));
        return `${await heard}, half of a chunk: ${await half}, slow content: ${await slow}`;
      } finally {
        for (const request of requests) request.destroy();
      }
    },
  },
  {
    name: 'slow at each stage of a rendezvous', victim: 'rendezvous', metric: 'rendezvous_connections_refused_total{reason="handshake_timeout"}',
    told: /^nothing: dropped, half of TLS: dropped, TLS: handshake_timeout, half of hello: handshake_timeout, hello: handshake_timeout, half of register: handshake_timeout$/,
    run: async (stage) => {
      const peer = await stage.offender();
      const to = { ...hostOf(stage.rendezvous.address), id: stage.rendezvous.id };
      const register = Buffer.alloc(1_000);
      register.writeUInt32BE(1_000);
      register[4] = 0x10;
      return all({
        ...(await beforeHello(stage, peer, to, rendezvousAlpn)),
        hello: () => greeted(peer, to, Buffer.concat(Array.from({ length: 20 }, (_, seq) => encodeMessage(ping, { seq })))),
        'half of register': () => greeted(peer, to, register),
      });
    },
  },
];
