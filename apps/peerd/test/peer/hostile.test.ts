/** Peers that have a key and are welcome, and do not keep the rules. */
import { randomBytes } from 'node:crypto';
import { connect as tcpConnect } from 'node:net';
import { chat, encodeFrame, encodeMessage, handshakeMessages, type Hello, hello, peerAlpn, PeerdError, ping, protocolVersions, select } from '@peerd/protocol';
import { type Channel, closeReason, dial, greet, type Greeted, type Identity, loadIdentity } from '@peerd/service';
import fc from 'fast-check';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { ActiveLink } from '../../src/peer/active-link.ts';
import { identities, temporaryDirectory, until } from '../support.ts';
import { Hub, type TestPeer } from './hub.ts';

const never = new AbortController().signal;
const text = encodeMessage(chat, { id: '01hzzzzzzzzzzzzzzzzzzzzzzz', text: 'hi', sentAt: 1 });
const timing = { heartbeatMs: 40, selectMs: 60 };

describe('a hostile peer', () => {
  let low: Identity;
  let middle: Identity;
  let high: Identity;
  let hub: Hub;
  beforeEach(async () => {
    [low, middle, high] = await identities();
    hub = new Hub();
  });

  const victim = async (identity: Identity, more = {}): Promise<TestPeer> => {
    const peer = await hub.peer(identity, more);
    for (const { id } of [low, middle, high]) peer.contacts.add(id);
    return peer;
  };
  const open = async (to: TestPeer, as: Identity): Promise<Channel> => {
    const channel = await dial(as, { ...to.links.address, protocol: peerAlpn }, never);
    onTestFinished(() => channel.destroy(new PeerdError('cancelled', 'test over')));
    return channel;
  };
  const mine = (more: Partial<Hello> = {}): Hello => ({ versions: [...protocolVersions], role: 'link', nonce: randomBytes(16), name: 'x', agent: '', ...more });
  const greeted = async (to: TestPeer, as: Identity, more: Partial<Hello> = {}): Promise<{ channel: Channel; frames: Greeted['frames'] }> => {
    const channel = await open(to, as);
    return { channel, frames: (await greet(channel, mine(more), never)).frames };
  };
  /** Reads to the end; the code of the last message. */
  const ending = async (frames: Greeted['frames']): Promise<string> => {
    let code = 'none';
    for await (const frame of frames) if (frame.type === 0x04) code = closeReason(frame.payload).code;
    return code;
  };

  test('speaks before select: closed, and nothing reaches the users', async () => {
    const peer = await victim(high);
    const { channel, frames } = await greeted(peer, low);
    channel.send(text);
    expect(await ending(frames)).toBe('unexpected_message');
    expect([peer.events, peer.messages.waiting]).toEqual([[], 0]);
  });

  test('never selects: closed', async () => {
    const { frames } = await greeted(await victim(high, { timing }), low);
    expect(await ending(frames)).toBe('handshake_timeout');
  });

  test('selects though it has to wait: closed', async () => {
    const { channel, frames } = await greeted(await victim(low), high);
    channel.send(encodeMessage(select, { order: 1 }));
    expect(await ending(frames)).toBe('unexpected_message');
  });

  test('selects and falls silent: the link ends', async () => {
    const peer = await victim(high, { timing });
    const { channel } = await greeted(peer, low);
    channel.send(encodeMessage(select, { order: 1 }));
    await until(() => peer.events.length === 2);
    expect(peer.events[1]).toContain('link_lost');
  });

  test.each([
    ['register', 'unexpected_message'],
    ['data', 'token_invalid'],
  ] as const)('hello with the role %s: %s', async (role, code) => {
    const channel = await open(await victim(low), high);
    await expect(greet(channel, mine({ role }), never)).rejects.toMatchObject({ code });
  });

  test('whoever is not welcome is refused before its hello, for data too, and so is our own key', async () => {
    const peer = await victim(low);
    peer.contacts.delete(middle.id);
    await expect(greet(await open(peer, middle), mine({ role: 'data' }), never)).rejects.toMatchObject({ code: 'not_introduced' });
    await expect(greet(await open(peer, low), mine(), never)).rejects.toMatchObject({ code: 'not_introduced', message: 'this is the same identity' });
  });

  test('blocked between TLS and hello: refused', async () => {
    const peer = await victim(low);
    const channel = await open(peer, high);
    // It waits for the hello now: one that came later is through.
    await greeted(peer, middle);
    peer.blocked.add(high.id);
    await expect(greet(channel, mine(), never)).rejects.toMatchObject({ code: 'not_introduced' });
  });

  test('introductions of who is blocked, of our own key, and while the daemon stops: refused', async () => {
    const verdict = Promise.withResolvers<'accepted'>();
    const peer = await victim(low, { admitIntroduction: () => verdict.promise });
    const introduced = (id: string) => peer.links.introduced({ id, name: 'x', addresses: [], epoch: 1 }, true);
    peer.blocked.add(high.id);
    expect([await introduced(high.id), await introduced(low.id)]).toEqual(['refused', 'refused']);
    const asked = introduced(middle.id);
    await peer.links.stop();
    verdict.resolve('accepted');
    expect([await asked, await introduced(middle.id)]).toEqual(['refused', 'refused']);
  });

  test('no version in common, or no hello at all', async () => {
    const peer = await victim(low);
    await expect(greet(await open(peer, high), mine({ versions: [99] }), never)).rejects.toMatchObject({ code: 'version_unsupported' });
    const channel = await open(peer, middle);
    channel.send(encodeMessage(ping, { seq: 1 }));
    const { value: frame } = await channel.frames().next();
    expect(frame && handshakeMessages.read(frame)).toMatchObject({ kind: 'close', body: { code: 'unexpected_message' } });
  });

  test('hello twice, frames too large, frames of rubbish: each ends its link only', async () => {
    const peer = await victim(low);
    const endings: string[] = [];
    for (const bytes of [encodeMessage(hello, mine()), Buffer.from([0xff, 0xff, 0xff, 0xff, 0x33]), encodeFrame(0x33, Buffer.from('rubbish'))]) {
      const { channel, frames } = await greeted(peer, high);
      channel.send(bytes);
      endings.push(await ending(frames));
    }
    expect(endings).toEqual(['unexpected_message', 'frame_too_large', 'malformed_frame']);
    // Unknown frames are for newer versions: skipped.
    const { channel } = await greeted(peer, high);
    channel.send(encodeFrame(0x7e, Buffer.from('later')));
    channel.send(text);
    expect((await peer.messages.next()).kind).toBe('chat');
    expect(peer.links.all()).toHaveLength(1);
  });

  test('any bytes at all: the peer stays well', async () => {
    const peer = await victim(low);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), async (pieces) => {
        const { channel, frames } = await greeted(peer, high);
        for (const piece of pieces) channel.send(piece);
        channel.end();
        await ending(frames).catch(() => {});
      }),
      { numRuns: 30 },
    );
    await until(() => peer.links.all().length === 0);
    const { channel } = await greeted(peer, high);
    channel.send(text);
    await until(() => peer.messages.waiting > 0);
    expect(peer.links.all()).toHaveLength(1);
  });

  test('asks for answers and reads none: what is queued for it is bounded', async () => {
    const peer = await victim(low, { timing: { heartbeatMs: 60_000 } });
    const { channel } = await greeted(peer, high);
    await until(() => peer.links.all().length === 1);
    const { connection } = peer.links.get(high.id) as ActiveLink;
    // More than its reader and the kernel take, so that it waits here.
    let queued = -1;
    while (queued !== connection.channel.queuedBytes) {
      while (connection.channel.queuedBytes < 4 << 20) connection.channel.send(encodeFrame(0x7e, Buffer.alloc(60_000)));
      queued = connection.channel.queuedBytes;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    for (let seq = 0; seq < 100; seq += 1) channel.send(encodeMessage(ping, { seq }));
    channel.send(text);
    await peer.messages.next();
    expect(connection.channel.queuedBytes).toBe(queued);
  });

  test.each([['pings', encodeMessage(ping, { seq: 1 })], ['unknown frames', encodeFrame(0x7e, Buffer.from('later'))]])('%s without end: told, dropped and counted', async (_, frame) => {
    const peer = await victim(low);
    const { channel, frames } = await greeted(peer, high);
    for (let count = 0; count < 1_000; count += 1) channel.send(frame);
    expect(await ending(frames)).toBe('rate_limited');
    expect(peer.messages.waiting).toBe(0);
    expect(await peer.metric('peerd_links_ended_total{reason="rate_limited"} 1')).toBe(true);
  });

  test('more strangers than may be linked: the oldest without a transfer is told and gives way, contacts do not count', { timeout: 60_000 }, async () => {
    const peer = await victim(low, { timing: { askedDialMs: 1 } });
    const directory = await temporaryDirectory();
    const linked: { id: string; frames: Greeted['frames'] }[] = [];
    const join = async (index: number): Promise<void> => {
      const stranger = await loadIdentity(`${directory}/${index}`);
      await peer.links.introduced({ id: stranger.id, name: 's', addresses: [], epoch: 1 }, true);
      const { channel, frames } = await greeted(peer, stranger);
      linked.push({ id: stranger.id, frames });
      if (stranger.id < low.id) channel.send(encodeMessage(select, { order: 1 }));
      await until(() => peer.links.get(stranger.id) !== undefined);
    };
    await greeted(peer, high);
    for (let index = 0; index < 128; index += 1) await join(index);
    const [first, second] = linked;
    peer.unfinished.add(first?.id ?? '');
    await join(128);
    expect(second && (await ending(second.frames))).toBe('too_many_connections');
    expect([peer.links.get(first?.id ?? '') !== undefined, peer.links.get(high.id) !== undefined]).toEqual([true, true]);
    // Nobody can be spared: the newcomer is not let in.
    for (const { id } of linked) peer.unfinished.add(id);
    await expect(join(129)).rejects.toMatchObject({ code: 'too_many_connections' });
  });

  test('no TLS at all: the listener does not mind', async () => {
    const peer = await victim(low);
    const socket = tcpConnect(peer.links.address);
    socket.on('error', () => {});
    socket.end('GET / HTTP/1.1\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    await greeted(peer, high);
    await until(() => peer.links.all().length === 1);
    expect(peer.events).toHaveLength(1);
  });
});
