import { connect as tcpConnect } from 'node:net';
import { encodeFrameHeader, encodeMessage, handshakeMessages, hello, introduce, introductionAnswer, PeerdError, ping, register, rendezvousAlpn, rosterRequest } from '@peerd/protocol';
import { dial } from '@peerd/service';
import { describe, expect, test } from 'vitest';
import { TestClient } from '../support/client.ts';
import { newIdentity, startServer, type TestServer } from '../support/server.ts';

/** Two peers that must not notice anything. */
const withBystanders = async (attack: (server: TestServer, victim: TestClient) => Promise<void>): Promise<void> => {
  const server = await startServer();
  const alice = await TestClient.join(server);
  const bob = await TestClient.join(server);
  await attack(server, alice);
  alice.introduce(1, bob.id);
  bob.answer((await bob.next('introduction')).introduction, 'refused');
  expect(await alice.next('introduction-result', ({ request }) => request === 1)).toMatchObject({ verdict: 'refused' });
  expect(alice.messages.some(({ kind }) => kind === 'close')).toBe(false);
  await alice.sees(bob);
};

/** How often, and why, the server dropped somebody, once it dropped this client. */
const dropped = async (server: TestServer, client: TestClient): Promise<Record<string, number>> => {
  const { code } = await client.next('close');
  await client.ended;
  return { [code]: await server.metric(`rendezvous_frames_rejected_total{reason="${code}"}`) };
};

describe('a hostile client is dropped and counted, and nobody else notices', () => {
  test('garbage instead of CBOR', () =>
    withBystanders(async (server) => {
      const mallory = await TestClient.join(server);
      mallory.channel.send(Buffer.concat([encodeFrameHeader(register.type, 3), Buffer.from('ffffff', 'hex')]));
      expect(await dropped(server, mallory)).toEqual({ malformed_frame: 1 });
    }));

  test('a frame that is longer than its type allows', () =>
    withBystanders(async (server) => {
      const mallory = await TestClient.join(server);
      mallory.channel.send(encodeFrameHeader(register.type, 0xffff_ffff));
      expect(await dropped(server, mallory)).toEqual({ frame_too_large: 1 });
    }));

  test('an unknown frame that is too long', () =>
    withBystanders(async (server) => {
      const mallory = await TestClient.join(server);
      mallory.channel.send(encodeFrameHeader(0xee, 65_537));
      expect(await dropped(server, mallory)).toEqual({ frame_too_large: 1 });
    }));

  test.each([
    ['roster-request', (client: TestClient) => client.send(rosterRequest, { have: 0 })],
    ['introduce', (client: TestClient) => client.send(introduce, { request: 1, peer: 'a'.repeat(52) })],
    ['introduction-answer', (client: TestClient) => client.send(introductionAnswer, { introduction: 1, verdict: 'accepted' as const })],
  ])('%s before the registration', (_name, act) =>
    withBystanders(async (server) => {
      const mallory = await TestClient.greet(server);
      act(mallory);
      expect(await dropped(server, mallory)).toEqual({ unexpected_message: 1 });
    }));

  test('hello a second time', () =>
    withBystanders(async (server) => {
      const mallory = await TestClient.join(server);
      mallory.channel.send(Buffer.from('00000000', 'hex'));
      mallory.channel.send(Buffer.from([1]));
      expect(await mallory.next('close')).toMatchObject({ code: 'malformed_frame' });
      const again = await TestClient.join(server);
      again.channel.send(encodeMessage(hello, { versions: [1], role: 'register', nonce: Buffer.alloc(16), name: 'x', agent: 'x' }));
      expect(await dropped(server, again)).toEqual({ unexpected_message: 1 });
    }));

  test.each([
    ['another role', encodeMessage(hello, { versions: [1], role: 'link', nonce: Buffer.alloc(16), name: 'x', agent: 'x' }), 'unexpected_message'],
    ['no common version', encodeMessage(hello, { versions: [99], role: 'register', nonce: Buffer.alloc(16), name: 'x', agent: 'x' }), 'version_unsupported'],
    ['register instead of hello', encodeMessage(register, { room: 'lobby', addresses: [] }), 'unexpected_message'],
    ['a hello that does not decode', Buffer.from('0000000101ff', 'hex'), 'malformed_frame'],
  ])('%s at the start', (_name, bytes, code) =>
    withBystanders(async (server) => {
      const channel = await dial(await newIdentity(), { ...server.address, protocol: rendezvousAlpn, expected: server.id }, new AbortController().signal);
      channel.send(bytes);
      const { value: frame } = await channel.frames().next();
      expect(frame && handshakeMessages.read(frame)).toMatchObject({ kind: 'close', body: { code } });
      channel.destroy(new PeerdError('cancelled', 'seen enough'));
      expect(await server.metric(`rendezvous_frames_rejected_total{reason="${code}"}`)).toBe(1);
    }));

  test('a flood of messages', () =>
    withBystanders(async (server) => {
      const mallory = await TestClient.join(server);
      for (let seq = 0; seq < 300; seq += 1) mallory.send(ping, { seq });
      expect(await dropped(server, mallory)).toEqual({ rate_limited: 1 });
      expect((await mallory.next('close')).retryAfterMs).toBe(5_000);
    }));

  test('a flood of requests for the roster', () =>
    withBystanders(async (server) => {
      const mallory = await TestClient.join(server);
      for (let have = 0; have < 30; have += 1) mallory.send(rosterRequest, { have });
      expect(await dropped(server, mallory)).toEqual({ rate_limited: 1 });
    }));

  test('no TLS at all', () =>
    withBystanders(async (server) => {
      const socket = tcpConnect(server.address);
      const closed = new Promise((resolve) => socket.on('error', () => {}).once('close', resolve));
      socket.write('GET / HTTP/1.0\r\n\r\n');
      await closed;
      expect(await server.metric('rendezvous_connections_refused_total{reason="link_lost"}')).toBe(1);
    }));

  test('names with control characters reach the admin port escaped', () =>
    withBystanders(async (server, alice) => {
      const mallory = await TestClient.join(server, { name: '\u001b[31mbob\u202e' });
      await alice.until(() => alice.model.roster.has(mallory.id));
      const { body } = await server.get('/v1/peers');
      const names = (body as { peers: { name: string }[] }).peers.map(({ name }) => name);
      expect(names).toContain('\\x1b[31mbob\\u{202e}');
      mallory.channel.end();
      await alice.until(() => !alice.model.roster.has(mallory.id));
    }));
});

test('connections that never register are evicted, the oldest first', async () => {
  const server = await startServer({ maxPendingPerAddress: 3 });
  const idle = [await TestClient.greet(server), await TestClient.greet(server), await TestClient.greet(server)] as const;
  const alice = await TestClient.join(server);
  await idle[0].ended;
  await alice.ping();
  idle[2].register();
  await idle[2].next('registered');
  await alice.sees(idle[2]);
  // Whoever is registered doesn't count any more.
  for (let index = 0; index < 4; index += 1) await TestClient.greet(server);
  await Promise.all([alice.ping(), idle[2].ping()]);
  expect(await server.metric('rendezvous_connections_refused_total{reason="too_many_connections"}')).toBe(3);
});
