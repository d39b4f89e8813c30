import { randomBytes } from 'node:crypto';
import { chat, chunkFrameType, dataRequest, dataToken, encodeFrame, encodeMessage, peerAlpn, PeerdError, protocolVersions } from '@peerd/protocol';
import { dial, greet, type Identity } from '@peerd/service';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { DataConnection, Link } from '../../src/peer/ports.ts';
import { failureOf, identities, until } from '../support.ts';
import { Hub, type TestPeer } from './hub.ts';

const never = new AbortController().signal;
const transfer = '01hzzzzzzzzzzzzzzzzzzzzzzz';

describe('data connections', () => {
  let hub: Hub;
  let dialler: TestPeer;
  let listener: TestPeer;
  let outward: Link;
  let inward: Link;
  let stranger: Identity;
  const link = async (timing = {}): Promise<void> => {
    hub = new Hub();
    const [low, middle, high] = await identities();
    [dialler, listener, stranger] = [await hub.peer(low, { listed: false, timing }), await hub.peer(high, { listed: false, timing }), middle];
    dialler.known.set(listener.id, [listener.links.address]);
    listener.contacts.add(dialler.id);
    outward = await dialler.links.connect(listener.id, AbortSignal.timeout(10_000));
    await until(() => listener.links.get(dialler.id) !== undefined);
    inward = listener.links.get(dialler.id) as Link;
  };
  beforeEach(() => link());

  /** Sends 40 MB in one direction, and reads it slowly enough for the writer to wait. */
  const expectStream = async (from: DataConnection, to: DataConnection): Promise<void> => {
    const content = randomBytes(1 << 20);
    const frame = encodeFrame(chunkFrameType, content);
    const sending = (async () => {
      for (let index = 0; index < 40; index += 1) await from.write([frame.subarray(0, 5), frame.subarray(5)]);
      await from.end();
    })();
    let received = 0;
    for await (const { type, payload, release } of to.frames(1 << 20)) {
      expect(type).toBe(chunkFrameType);
      expect(payload.equals(content)).toBe(true);
      release?.();
      received += 1;
    }
    await sending;
    expect(received).toBe(40);
    await until(() => from.signal.aborted && to.signal.aborted);
  };

  test.each(['dialling', 'listening'] as const)('the %s side sends', async (which) => {
    const [sender, receiver, senderLink] = which === 'dialling' ? [dialler, listener, outward] : [listener, dialler, inward];
    receiver.expects.add(transfer);
    const connection = await senderLink.openData(transfer, never);
    const opened = await receiver.data.next();
    expect(opened.transfer).toBe(transfer);
    await expectStream(connection, opened.connection);
    expect(await sender.metric(`peerd_data_connections_total{side="${which === 'dialling' ? 'dialled' : 'accepted'}"} 1`)).toBe(true);
  });

  test('several at once, both ways', async () => {
    const other = '01hzzzzzzzzzzzzzzzzzzzzzzy';
    listener.expects.add(transfer);
    dialler.expects.add(other);
    const sending = await Promise.all([...[1, 2, 3].map(() => outward.openData(transfer, never)), ...[1, 2, 3].map(() => inward.openData(other, never))]);
    expect(sending).toHaveLength(6);
    const received = [];
    for (const peer of [listener, listener, listener, dialler, dialler, dialler]) received.push((await peer.data.next()).transfer);
    expect(received).toEqual([transfer, transfer, transfer, other, other, other]);
  });

  test.each(['dialling', 'listening'] as const)('what comes up after its round has ended is closed (%s side sends)', async (which) => {
    const [receiver, senderLink] = which === 'dialling' ? [listener, outward] : [dialler, inward];
    let round = 0;
    receiver.round = () => (round += 1);
    receiver.expects.add(transfer);
    const connection = await senderLink.openData(transfer, never);
    await until(() => connection.signal.aborted);
    receiver.round = () => 1;
    await senderLink.openData(transfer, never);
    await receiver.data.next();
    expect(round).toBe(2);
  });

  test('nobody expects it: the one who asked gives up at its deadline', async () => {
    await Promise.all([dialler.links.stop(), listener.links.stop()]);
    await link({ openDataMs: 200, tokenMs: 100 });
    expect(await failureOf(outward.openData(transfer, never))).toMatchObject({ code: 'handshake_timeout' });
    expect(await failureOf(inward.openData(transfer, never))).toMatchObject({ code: 'token_invalid' });
  });

  test('ends with the link, with the signal, and with the reader', async () => {
    listener.expects.add(transfer);
    const controller = new AbortController();
    controller.abort('enough');
    expect(await failureOf(outward.openData(transfer, controller.signal))).toBe('enough');
    const [first, second] = [await outward.openData(transfer, never), await outward.openData(transfer, never)];
    const received = (await listener.data.next()).connection;
    (await listener.data.next()).connection.destroy(new PeerdError('cancelled', 'the reader has enough'));
    await until(() => second.signal.aborted || first.signal.aborted);
    await dialler.links.disconnect(listener.id);
    await until(() => first.signal.aborted && second.signal.aborted && received.signal.aborted);
    expect(await failureOf(first.write([Buffer.alloc(1)]))).toBeInstanceOf(PeerdError);
    expect(await failureOf(outward.openData(transfer, never))).toMatchObject({ code: 'disconnected' });
  });

  test('one that stops within a frame is ended and told why, and its memory comes back; the link and the others go on', async () => {
    await Promise.all([dialler.links.stop(), listener.links.stop()]);
    await link({ stalledDataMs: 200 });
    listener.expects.add(transfer);
    const [stopped, other] = [await outward.openData(transfer, never), await outward.openData(transfer, never)];
    const arrived = [(await listener.data.next()).connection, (await listener.data.next()).connection];
    const read = async (connection: DataConnection): Promise<string> => {
      for await (const { release } of connection.frames(1 << 20)) release?.();
      return 'read';
    };
    const readings = arrived.map((connection) => read(connection).catch((error: PeerdError) => error.code));
    const frame = encodeFrame(chunkFrameType, Buffer.alloc(200_000));
    await stopped.write([frame, frame.subarray(0, 100_000)]);
    // Between two frames there is all the time of the world.
    await other.write([frame]);
    await until(() => stopped.signal.aborted);
    expect(stopped.signal.reason).toMatchObject({ code: 'stalled' });
    expect(await Promise.race(readings)).toBe('stalled');
    expect([await listener.metric('peerd_data_connections_stalled_total 1'), await listener.metric('peerd_content_memory_bytes 0')]).toEqual([true, true]);
    expect([outward.signal.aborted, other.signal.aborted]).toEqual([false, false]);
    await other.write([frame]);
    await other.end();
    expect(new Set(await Promise.all(readings))).toEqual(new Set(['stalled', 'read']));
  });

  test('the receiving side can make the sending one hold nothing', async () => {
    listener.expects.add(transfer);
    const connection = await outward.openData(transfer, never);
    await (await listener.data.next()).connection.write([encodeFrame(chunkFrameType, Buffer.alloc(100_000)).subarray(0, 10)]);
    await until(() => connection.signal.aborted);
    expect(connection.signal.reason).toMatchObject({ code: 'frame_too_large' });
  });

  test('goes one way only: the sender ends a connection on which it gets content', async () => {
    listener.expects.add(transfer);
    const connection = await outward.openData(transfer, never);
    await (await listener.data.next()).connection.write([encodeFrame(chunkFrameType, Buffer.alloc(10))]);
    await until(() => connection.signal.aborted);
    expect(connection.signal.reason).toMatchObject({ code: 'unexpected_message' });
  });

  test('16 may be coming up, and 64 be open, at either end', async () => {
    const giveUp = new AbortController();
    const pending = Array.from({ length: 16 }, () => failureOf(outward.openData(transfer, giveUp.signal)));
    expect(await failureOf(outward.openData(transfer, never))).toMatchObject({ code: 'rate_limited' });
    giveUp.abort('enough');
    expect(new Set(await Promise.all(pending))).toEqual(new Set(['enough']));

    listener.expects.add(transfer);
    const open: DataConnection[] = [];
    while (open.length < 64) open.push(...(await Promise.all(Array.from({ length: 8 }, () => outward.openData(transfer, never)))));
    expect(await failureOf(outward.openData(transfer, never))).toMatchObject({ code: 'rate_limited' });
    expect(await failureOf(inward.openData(transfer, never))).toMatchObject({ code: 'rate_limited' });
    // The listening side gives no token either: what it says later comes alone.
    const heard: string[] = [];
    (dialler.links.get(listener.id) as unknown as { receive(message: { kind: string }): void }).receive = ({ kind }) => void heard.push(kind);
    const words = encodeMessage(chat, { id: transfer, text: 'x', sentAt: 1 });
    await outward.send(encodeMessage(dataRequest, { transfer }));
    await outward.send(words);
    await listener.messages.next();
    await inward.send(words);
    await until(() => heard.includes('chat'));
    expect(heard).toEqual(['chat']);
  });

  describe('tokens', () => {
    const present = async (identity: Identity, token: Uint8Array): Promise<string> => {
      const channel = await dial(identity, { ...listener.links.address, protocol: peerAlpn, expected: listener.id }, never);
      onTestFinished(() => channel.destroy(new PeerdError('cancelled', 'test over')));
      const hello = { versions: [...protocolVersions], role: 'data' as const, nonce: Buffer.alloc(16), name: 'x', agent: '', token };
      return greet(channel, hello, never).then(
        () => 'up',
        (error: PeerdError) => error.code,
      );
    };
    /** A token that the listening side has issued, taken before the dialling side could use it. */
    const token = async (): Promise<Uint8Array> => {
      listener.expects.add(transfer);
      const tokens = (dialler.links.get(listener.id) as unknown as { receive(message: { kind: string; body: { token: Uint8Array } }): unknown });
      const caught = Promise.withResolvers<Uint8Array>();
      tokens.receive = (message) => {
        if (message.kind === 'data-token') caught.resolve(message.body.token);
      };
      await outward.send(encodeMessage(dataRequest, { transfer }));
      return caught.promise;
    };

    test('opens one connection, and no second one', async () => {
      const issued = await token();
      expect(issued).toHaveLength(16);
      expect([await present(dialler.identity, issued), await present(dialler.identity, issued)]).toEqual(['up', 'token_invalid']);
      expect(await listener.metric('peerd_inbound_refused_total{reason="token_invalid"} 1')).toBe(true);
    });

    test('is worth nothing with another key, even a welcome one', async () => {
      const issued = await token();
      listener.contacts.add(stranger.id);
      expect([await present(stranger, issued), await present(dialler.identity, issued)]).toEqual(['token_invalid', 'up']);
    });

    test('expires, and unknown ones are refused', async () => {
      await Promise.all([dialler.links.stop(), listener.links.stop()]);
      await link({ tokenMs: 20 });
      const issued = await token();
      await new Promise((resolve) => setTimeout(resolve, 40));
      expect([await present(dialler.identity, issued), await present(dialler.identity, randomBytes(16))]).toEqual(['token_invalid', 'token_invalid']);
    });

    test('only so many are open at a time', async () => {
      listener.expects.add(transfer);
      const caught: Uint8Array[] = [];
      (dialler.links.get(listener.id) as unknown as { receive(message: { kind: string; body: { token: Uint8Array } }): void }).receive = ({ body }) => void caught.push(body.token);
      for (let index = 0; index < 40; index += 1) await outward.send(encodeMessage(dataRequest, { transfer }));
      await outward.send(encodeMessage(dataRequest, { transfer }));
      await until(() => caught.length >= 16);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(caught).toHaveLength(16);
    });

    test('from the wrong side they end the link', async () => {
      await inward.send(encodeMessage(dataRequest, { transfer }));
      await until(() => dialler.events.length === 2);
      expect(dialler.events[1]).toContain('unexpected_message');
      await Promise.all([dialler.links.stop(), listener.links.stop()]);
      await link();
      await outward.send(encodeMessage(dataToken, { transfer, token: randomBytes(16) }));
      await until(() => listener.events.length === 2);
      expect(listener.events[1]).toContain('unexpected_message');
    });
  });
});
