/** A rendezvous that forges, replays and swaps, over the real wire: it gets no link up, pins nobody, and can't make us dial without end. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type Address, introduction, introductionResult, type PeerId, peerIdSchema, type RosterEntry, rosterDelta } from '@peerd/protocol';
import { loadIdentity } from '@peerd/service';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ScriptedPeer } from '../harness/scripted-peer.ts';
import { hasRead, type ScriptedClient, ScriptedRendezvous } from '../harness/scripted-rendezvous.ts';
import { type Peer, World } from '../harness/world.ts';

const nobody = (letter: string): PeerId => peerIdSchema.parse(letter.repeat(52));
const at = (port: number, host = '127.0.0.1'): Address => ({ host, port, kind: 'host' });
const entryOf = (id: PeerId, name: string, addresses: Address[] = [], epoch = 1): RosterEntry => ({ id, name, addresses, epoch });
const patience = { timeout: 20_000 };
const ownAddress = Object.values(networkInterfaces()).flat().find((address) => address?.family === 'IPv4' && !address.internal)?.address;

interface Inbox {
  introductions: { id: string; from: { id: string; name: string } }[];
}

describe('a rendezvous that lies', () => {
  let world: World;
  const opened: Disposable[] = [];
  const servers: Server[] = [];
  beforeAll(async () => {
    world = await World.create();
  });
  afterEach(async () => {
    for (const one of opened.splice(0)) one[Symbol.dispose]();
    for (const server of servers.splice(0)) server.close();
    await Promise.all(world.peers.map((peer) => peer.end()));
  });
  afterAll(() => world[Symbol.asyncDispose]());

  /** A victim that is registered with it. @param roster of who registers */
  const victimOf = async (name: string, { args = [], roster = [], host }: { args?: string[]; roster?: RosterEntry[]; host?: string } = {}): Promise<{ victim: Peer; liar: ScriptedClient }> => {
    const { rendezvous, client } = await ScriptedRendezvous.start(await loadIdentity(join(world.directory, `liar of ${name}`)), { peers: () => roster, ...(host === undefined ? {} : { host }) });
    opened.push(rendezvous);
    const victim = await world.peer(name, { rendezvous: rendezvous.address, args }).start();
    return { victim, liar: await client(victim.id) };
  };
  /** Ends what connects, and counts it. */
  const canary = async (host = '127.0.0.1'): Promise<{ port: number; touched: () => number; onTouch: (listener: () => void) => void }> => {
    let touched = 0;
    const server = createServer((socket) => {
      touched += 1;
      socket.on('error', () => {}).destroy();
    }).listen(0, host);
    servers.push(server);
    await once(server, 'listening');
    return { port: (server.address() as { port: number }).port, touched: () => touched, onTouch: (listener) => void server.on('connection', listener) };
  };
  const answerOf = async (liar: ScriptedClient, number: number, from: RosterEntry): Promise<string> => {
    liar.say(introduction, { introduction: number, from });
    const { verdict, pending } = await liar.next('introduction-answer', (body) => body.introduction === number);
    return pending ? 'pending' : verdict;
  };
  const dials = async (victim: Peer): Promise<Record<string, number>> => {
    const address = victim.logs.map((line) => JSON.parse(line) as { metrics?: string }).find(({ metrics }) => metrics !== undefined)?.metrics;
    const text = await (await fetch(`http://${address}/metrics`)).text();
    return Object.fromEntries([...text.matchAll(/^peerd_dials_total\{outcome="(\w+)"\} (\d+)$/gm)].map(([, outcome = '', count]) => [outcome, Number(count)]));
  };
  const nothingStays = async (victim: Peer): Promise<void> => {
    expect(await victim.json('contacts')).toEqual({ contacts: [] });
    expect(await victim.json('status')).toMatchObject({ links: [] });
    expect(await victim.json('transfers')).toMatchObject({ transfers: [] });
  };

  test('introductions of peers that never asked: one place in the inbox, no contact, no link; replayed after reject, forget and block they bring nothing back', async () => {
    const { victim, liar } = await victimOf('asked', { args: ['--introductions', 'ask'] });
    const forged = entryOf(nobody('b'), 'bob', [at((await canary()).port)]);
    expect([await answerOf(liar, 1, forged), await answerOf(liar, 1, forged), await answerOf(liar, 2, { ...forged, name: 'other' })]).toEqual(['pending', 'pending', 'pending']);
    const { introductions } = await victim.json<Inbox>('inbox');
    expect(introductions.map(({ from }) => from)).toEqual([{ id: forged.id, name: 'bob' }]);
    await victim.json('reject', introductions[0]?.id ?? '');
    expect(await answerOf(liar, 1, forged)).toBe('refused');
    await nothingStays(victim);

    const friend = entryOf(nobody('c'), 'carol');
    await victim.json('trust', `${friend.id}@127.0.0.1:9`);
    expect(await answerOf(liar, 3, friend)).toBe('accepted');
    await victim.json('forget', friend.id);
    expect(await answerOf(liar, 3, friend)).toBe('pending');
    await victim.json('policy', friend.id, 'block');
    expect(await answerOf(liar, 3, friend)).toBe('refused');
    // Not even as ourselves.
    expect(await answerOf(liar, 4, entryOf(peerIdSchema.parse(victim.id), 'me'))).toBe('refused');
    await nothingStays(victim);
  });

  test('whoever was introduced has nothing yet: a key that is not the one gets no link, no word, and no place anywhere', async () => {
    const { victim, liar } = await victimOf('open');
    const other = await ScriptedPeer.create(join(world.directory, 'other'), 'other');
    opened.push(other);
    const address = await other.listen();
    expect(await answerOf(liar, 1, entryOf(nobody('b'), 'bob', [address]))).toBe('accepted');
    // Dialled by the victim, and given up when the key was seen: nothing was said.
    await expect.poll(async () => (await dials(victim))['wrong_key'], patience).toBeGreaterThan(0);
    expect(other.arrived).toBe(0);
    await nothingStays(victim);
  });

  test('answers that nobody asked for, of another number, twice, or of another peer count for nothing', async () => {
    const { port, touched } = await canary();
    const [bob, carol] = [entryOf(nobody('b'), 'bob', [at(port)]), entryOf(nobody('c'), 'carol', [at(port)])];
    const { victim, liar } = await victimOf('asking', { roster: [entryOf(bob.id, 'bob'), entryOf(carol.id, 'carol')] });
    const accepted = (request: number, peer: RosterEntry): void => liar.say(introductionResult, { request, verdict: 'accepted', peer });
    for (const request of [0, 1, 2, 2 ** 32]) accepted(request, bob);
    await hasRead(liar);
    const connect = victim.command(['--json', 'connect', bob.id]);
    const { request } = await liar.next('introduce', ({ peer }) => peer === bob.id);
    for (const other of [request - 1, request + 1, request + 2]) accepted(other, bob);
    await hasRead(liar);
    expect(touched()).toBe(0);
    // One more of somebody else, who stands at the same address.
    accepted(request, carol);
    const again = await liar.next('introduce', ({ peer }) => peer === bob.id);
    expect(touched()).toBe(0);
    liar.say(introductionResult, { request: again.request, verdict: 'refused' });
    accepted(again.request, bob);
    const { code, stderr } = await connect.result;
    expect([code, stderr]).toEqual([5, expect.stringContaining('"introduction_refused"')]);
    expect(touched()).toBe(0);
  });

  test('a roster with ourselves, one id twice, and the id and the name of a contact', async () => {
    const { victim, liar } = await victimOf('reader');
    const contact = await ScriptedPeer.create(join(world.directory, 'contact'), 'dora');
    opened.push(contact);
    const registration = entryOf(contact.id, 'dora');
    liar.say(rosterDelta, { from: 1, to: 2, upserts: [registration], removes: [] });
    await victim.seesPeers((seen) => seen.some(({ id }) => id === contact.id));
    await victim.json('trust', 'dora');
    liar.say(rosterDelta, {
      from: 2, to: 3, removes: [],
      upserts: [
        entryOf(peerIdSchema.parse(victim.id), 'myself', [], 9), entryOf(nobody('b'), 'twin', [], 5), entryOf(nobody('b'), 'older', [], 4),
        entryOf(contact.id, 'mallory', [at(9)], 7), entryOf(nobody('c'), 'dora', [], 1),
      ],
    });
    const seen = await victim.seesPeers((peers) => peers.some(({ id }) => id === nobody('c')));
    expect(new Map(seen.map(({ id, name, trust }) => [id, [name, trust]]))).toEqual(new Map([[nobody('b'), ['twin', 'new']], [nobody('c'), ['dora', 'changed']], [contact.id, ['dora', 'pinned']]]));
    expect(await victim.json('contacts')).toMatchObject({ contacts: [{ id: contact.id, name: 'dora' }] });
  });

  test.skipIf(ownAddress === undefined)('addresses of the machine itself, of the link and of nobody are not dialled when it is far away', async () => {
    const [near, far] = [await canary(), await canary(ownAddress)];
    const forbidden = ['127.0.0.1', '::1', '::ffff:127.0.0.1', '169.254.169.254', 'fe80::1', '0.0.0.0', '::', '224.0.0.1', '255.255.255.255', 'ff02::1', 'localhost'].map((host) => at(near.port, host));
    const bob = entryOf(nobody('b'), 'bob', [...forbidden, at(far.port, ownAddress)]);
    const { victim, liar } = await victimOf('distant', { roster: [bob], ...(ownAddress === undefined ? {} : { host: ownAddress }) });
    expect(await answerOf(liar, 1, entryOf(nobody('c'), 'carol', bob.addresses))).toBe('accepted');
    await expect.poll(far.touched, patience).toBeGreaterThan(0);
    const before = far.touched();
    const connect = victim.command(['--json', 'connect', bob.id]);
    const { request } = await liar.next('introduce', ({ peer }) => peer === bob.id);
    liar.say(introductionResult, { request, verdict: 'accepted', peer: bob });
    await expect.poll(far.touched, patience).toBeGreaterThan(before + 2);
    const { stderr } = await connect.end('SIGINT');
    expect(near.touched()).toBe(0);
    const seen = await victim.json<{ peers: { id: string; addresses: string[] }[] }>('peers');
    expect([stderr.includes('169.254'), seen.peers.map(({ addresses }) => addresses)]).toEqual([false, [[`${ownAddress}:${far.port}`]]]);
  });

  test('thousands of candidates: so many are dialled at once, and then a few a second', async () => {
    const { port } = await canary();
    const { victim, liar } = await victimOf('cannon');
    // Of one peer again and again, and of ever new ones; each with sixteen ports where nobody listens, or ends it at once.
    const addresses = (index: number): Address[] => Array.from({ length: 16 }, (_, place) => at(place === 0 ? port : 1 + ((index * 16 + place) % 1_000)));
    const begun = performance.now();
    for (let index = 0; index < 400; index += 1) {
      const id = index % 2 === 0 ? nobody('b') : peerIdSchema.parse(`${'c'.repeat(49)}${index.toString().replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '').padStart(3, 'a')}`);
      await answerOf(liar, index, entryOf(id, `bob${index}`, addresses(index)));
    }
    await expect.poll(async () => (await dials(victim))['rate_limited'], patience).toBeGreaterThan(0);
    const { rate_limited: _held, ...made } = await dials(victim);
    const total = Object.values(made).reduce((sum, count) => sum + count, 0);
    expect(total).toBeGreaterThan(100);
    expect(total).toBeLessThanOrEqual(128 + Math.ceil(((performance.now() - begun) / 1_000) * 16));
    await nothingStays(victim);
  });

  test('a peer that a person wants, at another address after each dial: no more, and no list is longer than it may be', async () => {
    const { port, touched, onTouch } = await canary('0.0.0.0');
    const bob = nobody('b');
    const { victim, liar } = await victimOf('wanting', { roster: [entryOf(bob, 'bob')] });
    // All of them lead to the canary.
    const addresses = (index: number, count = 16): Address[] => Array.from({ length: count }, (_, place) => at(port, `127.1.${index % 256}.${place + 1}`));
    const connect = victim.command(['--json', 'connect', bob]);
    const { request } = await liar.next('introduce', ({ peer }) => peer === bob);
    const begun = performance.now();
    let version = 1;
    // In turn by the roster and by an introduction of its own: each is news, and begins another round.
    onTouch(() => {
      const entry = entryOf(bob, 'bob', addresses(version), version);
      if (version % 2 === 0) liar.say(introduction, { introduction: version, from: entry });
      liar.say(rosterDelta, { from: version, to: version + 1, upserts: [entry], removes: [] });
      version += 1;
    });
    liar.say(introductionResult, { request, verdict: 'accepted', peer: entryOf(bob, 'bob', addresses(0)) });
    await expect.poll(async () => touched() > 1_000 || ((await dials(victim))['rate_limited'] ?? 0) > 0, patience).toBe(true);
    expect(touched()).toBeGreaterThan(100);
    expect(touched()).toBeLessThanOrEqual(128 + Math.ceil(((performance.now() - begun) / 1_000) * 16));
    expect((await connect.end('SIGINT')).code).toBe(130);
    liar.say(introduction, { introduction: 1, from: entryOf(bob, 'bob', addresses(0, 18)) });
    expect(await liar.ended).toBe('malformed_frame');
  });
});
