/** The version that recorded the conversations against the one of today, in both roles. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeFrame, encodeMessage, type Hello, hello, ping } from '@peerd/protocol';
import { createLogger, type Identity, loadIdentity } from '@peerd/service';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createRendezvousServer } from '../../../rendezvous/src/rendezvous.ts';
import type { PeerDaemon } from '../../src/daemon.ts';
import { call } from '../unix-http.ts';
import { readConversation } from './conversation.ts';
import { OldPeer } from './old-peer.ts';
import { contents, seeds, startPeer, temporary, writeKey, writeSource } from './people.ts';

/** As docs/protocol says: not the constant, which may change with the code. */
const unknownFrameMaxBytes = 65_536;

const patience = { timeout: 20_000, interval: 50 };

const room = async (): Promise<string> => {
  const directory = await temporary();
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
};

const start = async (...args: Parameters<typeof startPeer>): Promise<PeerDaemon> => {
  const daemon = await startPeer(...args);
  onTestFinished(() => daemon.stop());
  return daemon;
};

const identity = async (directory: string, who: keyof typeof seeds): Promise<Identity> => {
  await writeKey(join(directory, `old-${who}`), seeds[who]);
  return loadIdentity(join(directory, `old-${who}`));
};

const old = async (...args: ConstructorParameters<typeof OldPeer>): Promise<OldPeer> => {
  const peer = new OldPeer(...args);
  onTestFinished(() => peer[Symbol.asyncDispose]());
  return peer;
};

const trust = (daemon: PeerDaemon, id: string, port = 1): Promise<unknown> => call(daemon.control, 'POST', '/v1/contacts', { peer: `${id}@127.0.0.1:${port}`, name: 'old' });

/** What an old reader relies on is there, of the same type. What is new is none of its business. */
const expectUnderstood = (peer: OldPeer): void => {
  for (const { kind, body, recorded } of peer.heard) {
    for (const [field, value] of Object.entries(recorded ?? {})) expect([kind, field, typeof body?.[field], Array.isArray(body?.[field])]).toEqual([kind, field, typeof value, Array.isArray(value)]);
  }
};

describe('a transfer, recorded', () => {
  const conversation = readConversation('transfer');

  test('an old sender, and the receiver of today: everything arrives, and the receipt is genuine', async () => {
    const directory = await room();
    const receiver = await start(directory, 'receiver');
    const key = await identity(directory, 'sender');
    await trust(receiver, key.id);
    const sender = await old(key, 'sender', conversation);
    await sender.play(receiver.listen);
    expectUnderstood(sender);
    for (const [name, content] of Object.entries(contents)) expect([name, (await readFile(join(directory, 'receiver', 'in', 'things', name))).equals(content)]).toEqual([name, true]);
    const { transfers } = (await call<{ transfers: { id: string }[] }>(receiver.control, 'GET', '/v1/transfers')).body;
    expect((await call(receiver.control, 'GET', `/v1/transfers/${transfers[0]?.id}`)).body).toMatchObject({ state: 'done', receipt: { verified: true }, chunks: { rewritten: 0 } });
    expect((await call(receiver.control, 'GET', '/v1/messages')).body).toMatchObject({ messages: [{ text: 'did it arrive?', direction: 'received' }] });
  });

  test('a sender of today, and an old receiver: it is told what it can read, and its receipt is taken', async () => {
    const directory = await room();
    const sender = await start(directory, 'sender');
    const key = await identity(directory, 'receiver');
    const receiver = await old(key, 'receiver', conversation);
    const { port } = await receiver.listen();
    await trust(sender, key.id, port);
    const source = await writeSource(directory);
    const steps = conversation.steps.filter(({ kind }) => kind !== 'chat' && kind !== 'chat-ack');
    const played = receiver.play(undefined, steps);
    const { body } = await call<{ transfers: { id: string }[] }>(sender.control, 'POST', '/v1/transfers', { peers: [key.id], paths: [source] });
    await played;
    expectUnderstood(receiver);
    // The same bytes of content, in the same frames.
    await vi.waitFor(async () => expect((await call(sender.control, 'GET', `/v1/transfers/${body.transfers[0]?.id}`)).body).toMatchObject({ state: 'done', receipt: { verified: true } }), patience);
    const message = call(sender.control, 'POST', '/v1/messages', { peer: key.id, text: 'did it arrive?' });
    await receiver.play(undefined, conversation.steps.filter(({ kind }) => kind === 'chat' || kind === 'chat-ack'));
    expect((await message).body).toMatchObject({ state: 'delivered' });
  });
});

describe('a registration, recorded', () => {
  test('an old client, and the rendezvous of today: it is listed, sees who is there, and is introduced', async () => {
    const directory = await room();
    await mkdir(join(directory, 'state'), { recursive: true });
    await writeKey(join(directory, 'state'), seeds.rendezvous);
    const server = await createRendezvousServer(
      { listen: { host: '127.0.0.1', port: 0 }, admin: { host: '127.0.0.1', port: 0 }, maxPeers: 10, maxPendingPerAddress: 64, allowHost: [], logLevel: 'silent', stateDir: join(directory, 'state') },
      { logger: createLogger('skew', 'silent'), env: {} },
    );
    onTestFinished(() => server.stop());
    const conversation = readConversation('asking');
    const client = await old(await identity(directory, 'sender'), 'client', conversation);
    const asking = conversation.steps.findIndex(({ kind }) => kind === 'introduce');
    await client.play(server.address, conversation.steps.slice(0, asking));
    const other = await start(directory, 'other', ['--rendezvous', `127.0.0.1:${server.address.port}`]);
    await vi.waitFor(async () => expect((await call(other.control, 'GET', '/v1/status')).body).toMatchObject({ rendezvous: [{ state: 'registered' }] }), patience);
    await client.play(server.address, conversation.steps.slice(asking));
    expectUnderstood(client);
    expect(client.heard.at(-1)).toMatchObject({ kind: 'introduction-result', body: { verdict: 'accepted', peer: { id: other.id } } });
  });

  test('a client of today, and an old rendezvous: it registers, and answers an introduction', async () => {
    const directory = await room();
    const conversation = readConversation('asked');
    const rendezvous = await old(await identity(directory, 'rendezvous'), 'rendezvous', conversation);
    const { port } = await rendezvous.listen();
    const other = await start(directory, 'other', ['--rendezvous', `127.0.0.1:${port}`]);
    const end = conversation.steps.findIndex(({ kind }) => kind === 'unregister');
    await rendezvous.play(undefined, conversation.steps.slice(0, end));
    expectUnderstood(rendezvous);
    expect(rendezvous.heard.at(-1)).toMatchObject({ kind: 'introduction-answer', body: { verdict: 'accepted' } });
    expect((await call<{ peers: object[] }>(other.control, 'GET', '/v1/peers')).body.peers).toMatchObject([{ name: 'sender' }]);
    const stopped = other.stop();
    await rendezvous.play(undefined, conversation.steps.slice(end));
    await stopped;
  });
});

describe('a peer of a later version', () => {
  const conversation = readConversation('transfer');
  const [helloStep] = conversation.steps;
  const greeting = { role: 'link' as const, nonce: Buffer.alloc(16, 9), name: 'later', agent: 'peerd/9' };

  const meet = async (versions: number[]): Promise<{ receiver: PeerDaemon; later: OldPeer; answer: Promise<void> }> => {
    const directory = await room();
    const receiver = await start(directory, 'receiver');
    const key = await identity(directory, 'sender');
    await trust(receiver, key.id);
    const frame = encodeMessage(hello, { ...greeting, versions, later: { any: ['thing'] } } as Hello).toString('hex');
    const steps = [{ ...helloStep, from: 'sender' as const, on: 0, kind: 'hello', frame }, ...conversation.steps.slice(1, 3)];
    const later = await old(key, 'sender', { name: 'later', steps });
    return { receiver, later, answer: later.play(receiver.listen) };
  };

  test('versions that nobody here knows beside ours, and fields of it: the link is up', async () => {
    const { receiver, later, answer } = await meet([1, 2, 77]);
    await answer;
    await vi.waitFor(async () => expect((await call(receiver.control, 'GET', '/v1/status')).body).toMatchObject({ links: [{ peer: { name: 'old' } }] }), patience);
    // Frames of types that are not known are skipped up to their bound, and what follows is read.
    later.say(0, encodeFrame(0xee, Buffer.alloc(unknownFrameMaxBytes, 1)));
    later.say(0, encodeFrame(0x7f, Buffer.alloc(0)));
    later.say(0, encodeMessage(ping, { seq: 4_242 }));
    const chat = conversation.steps.filter(({ kind }) => kind === 'chat' || kind === 'chat-ack');
    await later.play(undefined, chat);
    expect((await call(receiver.control, 'GET', '/v1/messages')).body).toMatchObject({ messages: [{ text: 'did it arrive?' }] });
  });

  test('an unknown frame that is too large ends the link, and says why', async () => {
    const { later, answer } = await meet([1]);
    await answer;
    later.say(0, encodeFrame(0xee, Buffer.alloc(unknownFrameMaxBytes + 1, 1)));
    await later.play(undefined, [{ from: 'receiver', on: 0, kind: 'close' }]);
    expect(later.heard.at(-1)).toMatchObject({ kind: 'close', body: { code: 'frame_too_large' } });
  });

  test('no version in common: refused with the code for it', async () => {
    const { later, answer } = await meet([2, 3]);
    await expect(answer).rejects.toThrow(/expected hello, heard close.*version_unsupported/);
    expect(later.heard).toEqual([]);
  });
});
