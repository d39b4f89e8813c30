import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, connect as tcpConnect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect, createServer } from 'node:tls';
import { encodeFrame, encodeMessage, type Hello, linkMessages, type PayloadRoom, peerAlpn, PeerdError, ping } from '@peerd/protocol';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { answerHello, awaitHello, type Channel, closeReason, dial, greet, type Greeted, type Identity, listen, type ListenOptions, type Listener, loadIdentity } from '../../src/index.ts';

const hello = (name: string): Hello => ({ versions: [1], role: 'link', nonce: Buffer.alloc(16, 1), name, agent: 'test/1' });
const never = new AbortController().signal;

describe('channel', () => {
  let directory: string;
  let alice: Identity;
  let bob: Identity;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'peerd-service-'));
    alice = await loadIdentity(join(directory, 'alice'));
    bob = await loadIdentity(join(directory, 'bob'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const serve = async (onChannel: ListenOptions['onChannel'], more: Partial<ListenOptions> = {}): Promise<Listener> => {
    const listener = await listen(bob, { host: '127.0.0.1', port: 0, protocols: [peerAlpn], onChannel, ...more });
    onTestFinished(() => listener.close());
    return listener;
  };
  const target = (listener: Listener, expected?: string) => ({ ...listener.address, protocol: peerAlpn, ...(expected === undefined ? {} : { expected }) });

  test('the key at the state directory is the identity, and stays', async () => {
    expect((await loadIdentity(join(directory, 'alice'))).id).toBe(alice.id);
    expect(alice.id).toMatch(/^[a-z2-7]{52}$/);
    expect(alice.id).not.toBe(bob.id);
  });

  test('a silent connection is probed by the kernel, from either end', async () => {
    const accepted = Promise.withResolvers<Channel>();
    const listener = await serve((channel) => accepted.resolve(channel));
    const channel = await dial(alice, target(listener, bob.id), never);
    const ends = [channel, await accepted.promise].map(({ local, remote }) => [local, remote].map(({ port }) => port.toString(16).toUpperCase().padStart(4, '0')).join(' '));
    /** Seconds until the kernel's timer of a connection, which is its keepalive one (proc_net_tcp.txt: `tr` 2). */
    const timers = async (): Promise<(number | undefined)[]> => {
      const rows = (await readFile('/proc/net/tcp', 'latin1')).split('\n').map((line) => /:([0-9A-F]{4}) \S+:([0-9A-F]{4}) 01 \S+ 02:([0-9A-F]+)/.exec(line) ?? []);
      return ends.map((end) => rows.find(([, own, other]) => `${own} ${other}` === end)).map((row) => (row ? parseInt(row[3] ?? '', 16) / 100 : undefined));
    };
    await expect.poll(timers).toEqual([expect.any(Number), expect.any(Number)]);
    for (const seconds of await timers()) expect(seconds).toBeLessThanOrEqual(30);
    channel.destroy(new PeerdError('cancelled', 'test over'));
  });

  test('whoever does not name our protocol is refused, when dialled and when it dials', async () => {
    const refused = Promise.withResolvers<string>();
    const listener = await serve(() => expect.unreachable(), { onRefused: (reason) => refused.resolve(reason.code) });
    const socket = tlsConnect({ ...listener.address, key: alice.key, cert: alice.certificate, rejectUnauthorized: false });
    socket.on('error', () => {});
    expect(await refused.promise).toBe('version_unsupported');
    const other = createServer({ key: bob.key, cert: bob.certificate, requestCert: true, rejectUnauthorized: false }).listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await once(other, 'listening');
    await expect(dial(alice, { host: '127.0.0.1', port: (other.address() as AddressInfo).port, protocol: peerAlpn }, never)).rejects.toMatchObject({ code: 'peer_unreachable', message: expect.stringContaining('does not speak') });
  });

  test('a connection that ends before hello was lost, and is no defect', async () => {
    const ended = Promise.withResolvers<unknown>();
    const listener = await serve((channel) => void awaitHello(channel, never).catch(ended.resolve));
    (await dial(alice, target(listener, bob.id), never)).end();
    expect(await ended.promise).toMatchObject({ code: 'link_lost' });
  });

  test('both sides learn the key of the other, hello goes both ways, frames follow', async () => {
    const accepted = Promise.withResolvers<{ channel: Channel; greeted: Greeted }>();
    const listener = await serve((channel, settled) => {
      void (async () => {
        const greeted = await awaitHello(channel, never);
        answerHello(channel, hello('bob'));
        settled();
        channel.expect(linkMessages.bounds);
        accepted.resolve({ channel, greeted });
      })();
    });
    const channel = await dial(alice, target(listener, bob.id), never);
    const greeted = await greet(channel, hello('alice'), never);
    const other = await accepted.promise;
    expect(channel.peerId).toBe(bob.id);
    expect(other.channel.peerId).toBe(alice.id);
    expect([greeted.hello.name, other.greeted.hello.name]).toEqual(['bob', 'alice']);
    expect(channel.exportKeyingMaterial(32, 'EXPORTER-test')).toEqual(other.channel.exportKeyingMaterial(32, 'EXPORTER-test'));
    channel.send(encodeMessage(ping, { seq: 7 }));
    const { value: frame } = await other.greeted.frames.next();
    expect(frame && linkMessages.read(frame)).toEqual({ kind: 'ping', body: { seq: 7 } });
    const closed = channel.close(new PeerdError('disconnected', 'done'));
    const { value: last } = await other.greeted.frames.next();
    expect(last && linkMessages.read(last)).toEqual({ kind: 'close', body: { code: 'disconnected', message: 'done' } });
    expect(await other.greeted.frames.next()).toMatchObject({ done: true });
    await closed;
  });

  test('another key than expected is refused before hello', async () => {
    const listener = await serve(() => {});
    await expect(dial(alice, target(listener, alice.id), never)).rejects.toMatchObject({ code: 'wrong_key' });
  });

  test('nobody listens: peer_unreachable; aborted: the reason', async () => {
    const listener = await serve(() => {});
    listener.close();
    await expect(dial(alice, target(listener), never)).rejects.toMatchObject({ code: 'peer_unreachable' });
    await expect(dial(alice, target(listener), AbortSignal.abort(new PeerdError('cancelled', 'no')))).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('a full write queue says so and drains; a destroyed channel ends the wait', async () => {
    const held = Promise.withResolvers<Channel>();
    const listener = await serve((channel) => held.resolve(channel));
    const channel = await dial(alice, target(listener), never);
    const block = Buffer.alloc(1 << 20);
    while (channel.send(block));
    const waiting = channel.drained();
    channel.destroy(new PeerdError('cancelled', 'enough'));
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    (await held.promise).destroy(new PeerdError('cancelled', 'test over'));
  });

  test('a large write is taken while the one before is under way, the next one waits, and memory comes back', async () => {
    const accepted = Promise.withResolvers<Channel>();
    const listener = await serve((channel) => accepted.resolve(channel));
    const channel = await dial(alice, target(listener), never);
    const block = Buffer.concat(Array.from({ length: 17 }, () => encodeFrame(0x7e, Buffer.alloc(60_000))));
    const count = { put: 0, taken: 0, released: 0 };
    let waiting = Promise.resolve();
    const turns = async (): Promise<void> => {
      for (let turn = 0; turn < 100 && count.taken < count.put; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    };
    // Nobody reads: at some point the kernel takes no more.
    do {
      count.put += 1;
      waiting = channel.put([block], () => (count.released += 1)).then(() => void (count.taken += 1));
      await turns();
    } while (count.taken === count.put);
    expect(channel.queuedBytes).toBe(2 * block.length);
    expect(count.released).toBe(count.put - 2);
    let frames = 0;
    const reading = (async () => {
      for await (const _ of (await accepted.promise).frames()) frames += 1;
    })();
    await waiting;
    channel.end();
    await reading;
    expect([frames, count.released]).toEqual([17 * count.put, count.put]);
  });

  describe('an intake', () => {
    /** Both ends after hello; the first frames of the reading one are asked for. */
    const pair = async (): Promise<{ writer: Channel; written: Greeted; reader: Channel; frames: Greeted['frames'] }> => {
      const accepted = Promise.withResolvers<{ reader: Channel; frames: Greeted['frames'] }>();
      const listener = await serve((channel) => {
        void awaitHello(channel, never).then(({ frames }) => {
          answerHello(channel, hello('bob'));
          accepted.resolve({ reader: channel, frames });
        });
      });
      const writer = await dial(alice, target(listener, bob.id), never);
      onTestFinished(() => writer.destroy(new PeerdError('cancelled', 'test over')));
      const written = await greet(writer, hello('alice'), never);
      return { writer, written, ...(await accepted.promise) };
    };
    const large = new Map([[1, 5_000_000]]);

    test('nothing of a payload is read before there is room, and then the time counts', async () => {
      const { writer, written, reader, frames } = await pair();
      const asked: number[] = [];
      const room = Promise.withResolvers<PayloadRoom>();
      let released = 0;
      reader.expect(large, {
        needsRoom: ({ length }) => length > 100,
        room: ({ length }) => {
          asked.push(length);
          return room.promise;
        },
        stallMs: 500,
      });
      writer.send(encodeFrame(1, Buffer.from('small')));
      writer.send(encodeFrame(1, Buffer.alloc(1_000_000, 5)));
      // Of the last one, half.
      writer.send(encodeFrame(1, Buffer.alloc(5_000_000)).subarray(0, 2_500_000));
      expect((await frames.next()).value?.payload.toString()).toBe('small');
      const waiting = frames.next();
      await expect.poll(() => asked).toEqual([1_000_000]);
      // Longer than a frame may stand still: it is not the sender that is late.
      const longer = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 700));
      await longer();
      expect(reader.signal.aborted).toBe(false);
      room.resolve({ memory: Buffer.alloc(5_000_000), release: () => (released += 1) });
      const { value: whole } = await waiting;
      expect(whole?.payload.equals(Buffer.alloc(1_000_000, 5))).toBe(true);
      whole?.release?.();
      await longer();
      expect(reader.signal.aborted).toBe(false);
      const heard = written.frames.next();
      const last = frames.next().then(() => 'a frame', (error: PeerdError) => error.code);
      const { value: goodbye } = await heard;
      writer.end();
      expect(await last).toBe('stalled');
      expect([asked, released]).toEqual([[1_000_000, 5_000_000], 2]);
      expect(goodbye && closeReason(goodbye.payload)).toMatchObject({ code: 'stalled' });
    });

    test('who waits for room hears of the end', async () => {
      const { writer, reader, frames } = await pair();
      reader.expect(large, {
        needsRoom: () => true,
        room: (_announced, signal) => new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
        stallMs: 60_000,
      });
      writer.send(encodeFrame(1, Buffer.alloc(1_000)));
      const waiting = frames.next().then(() => 'a frame', (error: PeerdError) => error.code);
      writer.destroy(new PeerdError('cancelled', 'enough'));
      reader.destroy(new PeerdError('disconnected', 'enough'));
      expect(await waiting).toBe('disconnected');
    });
  });

  test('whoever waits for room hears of the end', async () => {
    const accepted = Promise.withResolvers<Channel>();
    const listener = await serve((channel) => accepted.resolve(channel));
    const channel = await dial(alice, target(listener), never);
    const putting = async (): Promise<void> => {
      for (;;) await channel.put([Buffer.alloc(1 << 20)]);
    };
    const end = async (): Promise<void> => {
      await accepted.promise;
      channel.destroy(new PeerdError('cancelled', 'enough'));
    };
    await Promise.all([expect(putting()).rejects.toMatchObject({ code: 'cancelled' }), end()]);
    (await accepted.promise).destroy(new PeerdError('cancelled', 'test over'));
  });

  test.each([
    ['per address', { perAddress: 2, total: 10 }],
    ['in all', { perAddress: 10, total: 2 }],
  ])('over the limit %s the oldest unauthenticated connection is evicted', async (_, maxPending) => {
    const refused: string[] = [];
    const listener = await serve(() => {}, { maxPending, onRefused: (reason) => refused.push(reason.code) });
    const sockets: Socket[] = [];
    for (let index = 0; index < 3; index += 1) {
      const socket = tcpConnect(listener.address);
      socket.on('error', () => {});
      await new Promise((resolve) => socket.once('connect', resolve));
      sockets.push(socket);
    }
    await new Promise((resolve) => sockets[0]?.once('close', resolve));
    expect(refused).toEqual(['too_many_connections']);
    expect(sockets.map((socket) => socket.closed)).toEqual([true, false, false]);
    for (const socket of sockets) socket.destroy();
  });

  test('whoever is evicted after TLS is told', async () => {
    const refused: string[] = [];
    const isUp = Promise.withResolvers<void>();
    const listener = await serve(() => isUp.resolve(), { maxPending: { perAddress: 1, total: 10 }, onRefused: (reason) => refused.push(reason.code) });
    const first = await dial(alice, target(listener), never);
    await isUp.promise;
    const second = await dial(alice, target(listener), never);
    const { value: frame } = await first.frames().next();
    expect(frame && closeReason(frame.payload)).toMatchObject({ code: 'too_many_connections' });
    expect(refused).toEqual(['too_many_connections']);
    second.destroy(new PeerdError('cancelled', 'test over'));
  });
});
