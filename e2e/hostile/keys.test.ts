/** Nobody stands in for anybody: a key that is not the one that was meant gets no link, no word, and no place in the contacts. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, type ConnectionOptions, createServer, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { chat, chatAck, close as closeMessage, dataRequest, encodeMessage, hello, offer as offerMessage, peerAlpn, ping, verifyCode, verifyCommit, verifyCommitment, verifyKeyingBytes, verifyKeyingLabel, verifyNonceBytes, verifyReveal } from '@peerd/protocol';
import { closeReason, greet, loadIdentity, newUlid } from '@peerd/service';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { consent, file, makeOffer, propose } from '../harness/scripted-offer.ts';
import { type ScriptedLink, ScriptedPeer, type Target, targetOf } from '../harness/scripted-peer.ts';
import { type Peer, type Rendezvous, World } from '../harness/world.ts';

const never = new AbortController().signal;

interface Pair {
  key: string;
  cert: string;
}

describe('keys', () => {
  let world: World;
  let rendezvous: Rendezvous;
  let alice: Peer;
  let bob: Peer;
  let target: Target;
  let carol: ScriptedPeer;
  const scripted: ScriptedPeer[] = [];
  const scriptedPeer = async (directory: string, name: string): Promise<ScriptedPeer> => {
    const peer = await ScriptedPeer.create(join(world.directory, directory), name);
    scripted.push(peer);
    return peer;
  };

  beforeAll(async () => {
    world = await World.create();
    rendezvous = await world.rendezvous();
    [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
    target = await targetOf(bob);
    carol = await scriptedPeer('carol', 'carol');
    await carol.pinnedAt(bob);
  });
  afterAll(async () => {
    for (const peer of scripted) peer[Symbol.dispose]();
    await world?.[Symbol.asyncDispose]();
  });

  /** A key of another kind, with a certificate of its own. */
  const otherKind = async (): Promise<Pair> => {
    const [key, cert] = ['ec.key', 'ec.crt'].map((name) => join(world.directory, name)) as [string, string];
    await promisify(execFile)('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=peerd', '-keyout', key, '-out', cert]);
    return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
  };
  const tlsClient = async (options: ConnectionOptions): Promise<TLSSocket> => {
    const socket = connect({ host: target.host, port: target.port, ALPNProtocols: [peerAlpn], rejectUnauthorized: false, minVersion: 'TLSv1.3', ...options });
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
    await once(socket, 'secureConnect');
    return socket;
  };
  /** Says hello. @returns what comes back before anything is selected; empty: nothing, to the end */
  const answerTo = async (socket: TLSSocket): Promise<Buffer> => {
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    socket.once('data', resolve).once('close', () => resolve(Buffer.alloc(0)));
    socket.write(encodeMessage(hello, carol.hello({ nonce: randomBytes(16) })));
    return promise;
  };
  const own = (): Pair => ({ key: carol.identity.key, cert: carol.identity.certificate });

  test('a man in the middle that ends TLS hears nothing, at either end', async () => {
    const pairs = [await loadIdentity(join(world.directory, 'middle')).then(({ key, certificate }) => ({ key, cert: certificate })), await otherKind()];
    for (const pair of pairs) {
      let heard = 0;
      const reached = Promise.withResolvers<void>();
      const server = createServer({ ...pair, ALPNProtocols: [peerAlpn], requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.3' }, (socket) => {
        socket.on('error', () => {}).on('data', (bytes) => (heard += bytes.length));
      }).listen(0, '127.0.0.1');
      // Who hangs up before the handshake is complete here is no `secureConnection`.
      server.on('connection', (socket) => socket.on('close', () => reached.resolve()));
      await once(server, 'listening');
      const dave = await world.peer(`dave${pairs.indexOf(pair)}`, { rendezvous: null }).start();
      await dave.json('trust', `${bob.id}@127.0.0.1:${(server.address() as AddressInfo).port}`);
      const refused = await dave.run('--json', 'connect', bob.id);
      expect([refused.code, refused.stderr]).toEqual([8, expect.stringContaining('"wrong_key"')]);
      await reached.promise;
      expect([heard, await dave.json('status')]).toEqual([0, expect.objectContaining({ links: [] })]);
      server.close();
      await dave.end();
    }
    // And whoever hands on what alice would say is nobody that bob knows.
    const middle = await scriptedPeer('middle', 'alice');
    await expect(middle.link(target)).rejects.toMatchObject({ code: 'not_introduced' });
    const { contacts } = await bob.json<{ contacts: { id: string }[] }>('contacts');
    expect(contacts.map(({ id }) => id)).toEqual([carol.id]);
  });

  test('a key of another kind, no certificate, and a resumed session get no answer', async () => {
    const socket = await tlsClient(own());
    expect((await answerTo(socket)).length).toBeGreaterThan(0);
    // The ticket came before the answer.
    const session = socket.getSession();
    if (!session) throw new Error('no session');
    const resumed = await tlsClient({ ...own(), session });
    expect([resumed.isSessionReused(), (await answerTo(resumed)).length]).toEqual([true, 0]);
    expect((await answerTo(await tlsClient(await otherKind()))).length).toBe(0);
    expect((await answerTo(await tlsClient({}))).length).toBe(0);
    expect((await answerTo(await tlsClient(own()))).length).toBeGreaterThan(0);
  });

  const answers = async (link: ScriptedLink): Promise<boolean> => {
    const seq = randomBytes(4).readUInt32BE();
    link.say(ping, { seq });
    const pong = await link.next('pong', (body) => body.seq === seq);
    return pong.seq === seq;
  };

  test('the boot nonce of another peer replaces nothing of it', async () => {
    const erin = await scriptedPeer('erin', 'carol');
    await erin.pinnedAt(bob);
    carol.nonce = randomBytes(16);
    const link = await carol.link(target);
    for (const nonce of [carol.nonce, randomBytes(16)]) {
      erin.nonce = nonce;
      expect(await answers(await erin.link(target))).toBe(true);
      expect(await answers(link)).toBe(true);
    }
  });

  test('a hello of a process that is gone replaces nothing of the one that came after it', async () => {
    const [before, after] = [randomBytes(16), randomBytes(16)];
    carol.nonce = before;
    const old = await carol.link(target);
    carol.nonce = after;
    const link = await carol.link(target);
    expect(await old.ended).toBe('superseded');
    carol.nonce = before;
    const late = await carol.dial(target);
    const { frames } = await greet(late, carol.hello(), never);
    const closed: string[] = [];
    for await (const frame of frames) if (frame.type === closeMessage.type) closed.push(closeReason(frame.payload).code);
    expect([closed, await answers(link)]).toEqual([['superseded'], true]);
    carol.nonce = after;
  });

  test('the token of a link that has ended is worth nothing on the next one of the same key, nor is a guessed one', async () => {
    const offer = makeOffer([file(['token'], 'content')]);
    carol.nonce = randomBytes(16);
    let link = await carol.link(target);
    await propose(link, offer);
    await bob.json('accept', offer.transfer);
    await consent(link, offer);
    const stolen: Uint8Array[] = [];
    // Ended without a word, by a process that was started anew, and on purpose.
    for (const next of ['lost', 'superseded', 'disconnected']) {
      link.say(dataRequest, { transfer: offer.transfer });
      stolen.push((await link.next('data-token')).token);
      if (next === 'disconnected') await bob.json('disconnect', carol.id);
      else if (next === 'lost') link[Symbol.dispose]();
      if (next === 'superseded') carol.nonce = randomBytes(16);
      link = await carol.link(target);
      link.say(offerMessage, offer.body);
      await consent(link, offer);
    }
    link.say(dataRequest, { transfer: offer.transfer });
    const { token } = await link.next('data-token');
    for (const other of [...stolen, randomBytes(16), Buffer.alloc(16), Buffer.from(token.map((byte, index) => (index === 15 ? byte ^ 1 : byte)))])
      await expect(carol.data(target, other)).rejects.toMatchObject({ code: 'token_invalid' });
    await carol.data(target, token);
  });

  test('what is said belongs to the key that says it, whatever its name', async () => {
    await alice.json('trust', 'bob');
    const impostor = await scriptedPeer('impostor', 'bob');
    const registration = await impostor.register(rendezvous.address);
    await impostor.introduce(registration, alice.id);
    const link = await impostor.link(await targetOf(alice));
    link.say(chat, { id: newUlid(), text: 'it is me', sentAt: 1 });
    await link.next('chat-ack');
    interface Heard {
      messages: { text: string; peer: { id: string } }[];
    }
    expect((await alice.json<Heard>('chat', 'bob', '--history', '50')).messages).toEqual([]);
    expect((await alice.json<Heard>('chat', impostor.id, '--history', '50')).messages).toMatchObject([{ text: 'it is me', peer: { id: impostor.id }, stranger: true }]);
    // Its word that a message for bob has arrived counts for nothing.
    await bob.end();
    await alice.seesPeers((seen) => seen.some(({ id, state }) => id === bob.id && state === 'offline'));
    const { message, state } = await alice.json<{ message: { id: string }; state: string }>('chat', bob.id, 'are you there?');
    expect(state).toBe('queued');
    link.say(chatAck, { id: message.id });
    expect(await answers(link)).toBe(true);
    expect((await alice.json<{ messages: { state: string }[] }>('chat', bob.id, '--history', '50')).messages).toMatchObject([{ state: 'queued' }]);
    // Back again, bob gets it.
    await bob.start();
    await vi.waitFor(async () => expect((await bob.json<Heard>('chat', alice.id, '--history', '50')).messages).toMatchObject([{ text: 'are you there?' }]), { timeout: 30_000 });
    target = await targetOf(bob);
  });

  test('codes that are compared through a man in the middle differ', async () => {
    const middle = await scriptedPeer('between', 'between');
    await Promise.all([middle.pinnedAt(alice), middle.pinnedAt(bob)]);
    const [toAlice, toBob] = [await middle.link(await targetOf(alice)), await middle.link(await targetOf(bob))];
    const both = [{ peer: alice, link: toAlice }, { peer: bob, link: toBob }];
    const begin = () => both.map(({ peer }) => peer.command(['--json', 'verify', middle.id], { stdin: 'pipe' }));

    // With nonces of its own it gets through to the persons, who see different codes.
    const comparing = begin();
    const expected: string[] = [];
    for (const { peer, link } of both) {
      const nonce = randomBytes(verifyNonceBytes);
      const { commitment } = await link.next('verify-commit');
      link.say(verifyCommit, { commitment: verifyCommitment(middle.id, nonce) });
      const theirs = await link.next('verify-reveal');
      link.say(verifyReveal, { nonce, to: commitment });
      expected.push(verifyCode({ id: middle.id, nonce }, { id: peer.id, nonce: theirs.nonce }, link.channel.exportKeyingMaterial(verifyKeyingBytes, verifyKeyingLabel)));
    }
    const [codeOfAlice, codeOfBob] = await Promise.all(comparing.map(async (command) => (await command.line((line) => line['event'] === 'code'))['code']));
    // Of both ids, both nonces, and what only the two ends of this connection know.
    expect([codeOfAlice, codeOfBob]).toEqual(expected);
    expect(codeOfAlice).toMatch(/^\d{4} \d{4} \d{4}$/);
    expect(codeOfAlice).not.toBe(codeOfBob);
    for (const command of comparing) command.child.stdin?.end('no\n');
    expect(await Promise.all(comparing.map(async ({ result }) => (await result).code))).toEqual([8, 8]);

    // What the other one has committed to is not its own: handed on, it ends the comparison.
    const handedOn = begin();
    const [ofAlice, ofBob] = await Promise.all(both.map(({ link }) => link.next('verify-commit')));
    toAlice.say(verifyCommit, ofBob);
    toBob.say(verifyCommit, ofAlice);
    const [nonceOfAlice, nonceOfBob] = await Promise.all(both.map(({ link }) => link.next('verify-reveal')));
    toAlice.say(verifyReveal, { nonce: nonceOfBob?.nonce, to: ofAlice?.commitment });
    toBob.say(verifyReveal, { nonce: nonceOfAlice?.nonce, to: ofBob?.commitment });
    for (const { result } of handedOn) expect((await result).stderr).toContain('"verify_broken"');
  });
});
