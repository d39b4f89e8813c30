/** A rendezvous with a secret: who does not have it learns nothing of the room, and who has it learns no secret. */
import { writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  close, encodeFrame, encodeMessage, introduce, introductionAnswer, introductionResult, ping, register, registered, rendezvousAlpn, rendezvousMessages, roomKeyingBytes, roomKeyingLabel, roomProof,
  rosterDelta, rosterRequest, rosterSnapshot,
} from '@peerd/protocol';
import { type Channel, greet, type Greeted } from '@peerd/service';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ScriptedPeer } from '../harness/scripted-peer.ts';
import { type Peer, type Rendezvous, World } from '../harness/world.ts';
import { formsOf, formsOfKeyIn } from './secret-forms.ts';

const secret = 'open sesame, said Ali Baba';
const never = new AbortController().signal;
/** What a client says, in order: frames, which may depend on its connection. */
type Script = readonly ((channel: Channel) => Buffer)[];

const registerWith = (proof: (channel: Channel) => Uint8Array | undefined) => (channel: Channel): Buffer => {
  const roomProofOf = proof(channel);
  return encodeMessage(register, { room: 'lobby', addresses: [], ...(roomProofOf ? { roomProof: roomProofOf } : {}) });
};
const keyOf = (channel: Channel): Buffer => channel.exportKeyingMaterial(roomKeyingBytes, roomKeyingLabel);
const proven = registerWith((channel) => roomProof(Buffer.from(secret), 'lobby', keyOf(channel)));
const pinged = (): Buffer => encodeMessage(ping, { seq: 1 });

/** Each order of the items. */
const orders = <T>(items: readonly T[]): T[][] => (items.length < 2 ? [[...items]] : items.flatMap((item, index) => orders(items.toSpliced(index, 1)).map((rest) => [item, ...rest])));

let world: World;
let rendezvous: Rendezvous;
let peers: Peer[];
let keys = 0;

/** Somebody new, up to hello. */
const newClient = async (): Promise<{ client: ScriptedPeer; channel: Channel } & Greeted> => {
  const client = await ScriptedPeer.create(join(world.directory, `client${(keys += 1)}`), 'client');
  const [host = '', port = ''] = rendezvous.address.split(':');
  const channel = await client.dial({ host, port: Number(port) }, rendezvousAlpn);
  const greeted = await greet(channel, client.hello({ role: 'register' }), never);
  channel.expect(rendezvousMessages.bounds);
  return { client, channel, ...greeted };
};

/** Says all of it at once. @returns every byte that comes, by frame, until the rendezvous ends it or `enough` */
const heardAfter = async (script: Script, enough: (frames: readonly Buffer[]) => boolean = () => false): Promise<Buffer[]> => {
  const { client, channel, hello, frames } = await newClient();
  using _ = client;
  const heard = [Buffer.from(JSON.stringify(hello))];
  channel.send(Buffer.concat(script.map((frame) => frame(channel))));
  for await (const { type, payload } of frames) {
    heard.push(Buffer.concat([Buffer.from([type]), payload]));
    if (type === close.type || enough(heard)) channel.end();
  }
  return heard;
};

const has = (frames: readonly Buffer[], { type }: { type: number }): boolean => frames.some((frame) => frame[0] === type);

/** Without the secret, in every order. @param asked the peer that is asked for */
const withoutSecret = async (asked: string): Promise<string[]> => {
  const answer = (): Buffer => encodeMessage(introductionAnswer, { introduction: 1, verdict: 'accepted' });
  const wrong = registerWith(() => Buffer.alloc(32));
  const scripts: Script[] = [
    ...orders([() => encodeMessage(rosterRequest, { have: 0 }), () => encodeMessage(introduce, { request: 1, peer: asked }), answer, wrong]).map((order) => [pinged, ...order, pinged]),
    [registerWith(() => undefined), pinged],
    [registerWith((channel) => roomProof(Buffer.from('open barley'), 'lobby', keyOf(channel))), proven],
    [registerWith((channel) => roomProof(Buffer.from(secret), 'other', keyOf(channel))), proven],
    // No frame of a rendezvous, and frames of a rendezvous that a client says.
    ...[0x11, 0x12, 0x13, 0x16, 0x18, 0x7e].map((type): Script => [() => encodeFrame(type, Buffer.from([0xa0])), wrong]),
  ];
  const heard: string[] = [];
  for (const script of scripts) heard.push((await heardAfter(script)).map((frame) => frame.toString('latin1')).join('\n'));
  return heard;
};

beforeAll(async () => {
  world = await World.create();
  const file = join(world.directory, 'secret');
  await writeFile(file, secret, { mode: 0o600 });
  const args = ['--room-secret-file', file];
  rendezvous = await world.rendezvous({ args: [...args, '--max-peers', '3', '--admin', '0.0.0.0:0'] });
  peers = ['alice', 'bob'].map((name) => world.peer(name, { args }));
});
afterAll(() => world?.[Symbol.asyncDispose]());

test('who has no secret hears the same of a full room as of an empty one; who has it gets no secret', async () => {
  const asked = 'a'.repeat(52);
  const ofEmpty = await withoutSecret(asked);
  // Two of the room, who get everything that there is to get.
  const joined = Promise.withResolvers<void>();
  const member = heardAfter([proven], (frames) => {
    if (has(frames, rosterSnapshot)) joined.resolve();
    const deltas = Buffer.concat(frames.filter((frame) => frame[0] === rosterDelta.type));
    return deltas.includes('alice') && deltas.includes('bob');
  });
  await joined.promise;
  for (const peer of peers) await peer.start();
  const ofMember = await member;
  const ofNewcomer = await heardAfter([proven, () => encodeMessage(introduce, { request: 1, peer: peers[0]?.id ?? '' })], (frames) => has(frames, introductionResult));
  expect([rosterSnapshot, introductionResult].map((kind) => has(ofNewcomer, kind))).toEqual([true, true]);
  const ids = peers.map(({ id }) => id);
  const secrets = [
    ...formsOf(secret), ...formsOf(readFileSync(join(rendezvous.directory, 'state/admin-token'), 'utf8').trim()),
    ...[rendezvous, ...peers].flatMap(({ directory }) => formsOfKeyIn(join(directory, 'state'))),
  ];
  for (const frames of [ofMember, ofNewcomer]) {
    const bytes = Buffer.concat(frames);
    expect(ids.map((id) => bytes.includes(id))).toEqual([true, true]);
    expect(secrets.filter((form) => bytes.includes(form))).toEqual([]);
  }
  // Now it is full: that is told only to who has the secret.
  const last = await newClient();
  using _ = last.client;
  last.channel.send(proven(last.channel));
  expect((await last.frames.next()).value?.type).toBe(registered.type);
  expect((await heardAfter([proven])).at(-1)?.toString('latin1')).toContain('rendezvous_full');
  expect(await withoutSecret(asked)).toEqual(ofEmpty);
  // Somebody that is there is asked for as somebody that is not.
  expect(await withoutSecret(ids[0] ?? '')).toEqual(ofEmpty);
  last.channel.end();
});

test('off loopback the admin port says nothing of who is there without its token', async () => {
  const at = `http://127.0.0.1:${rendezvous.admin.split(':').at(-1)}`;
  const told: string[] = [];
  const [id = '', other = ''] = peers.map((peer) => peer.id);
  const statuses: [string, number][] = [];
  for (const [method, path] of [
    ['GET', '/v1/peers'], ['GET', '/v1/peers?room=lobby'], ['GET', '/v1/peers?room=nowhere'], ['DELETE', `/v1/peers/${id}`], ['DELETE', `/v1/peers/${'a'.repeat(52)}`],
    ['GET', `/v1/peers/${id}`], ['GET', '/metrics'], ['GET', '/healthz'], ['GET', '/readyz'], ['GET', '/openapi.json'],
  ] as const) {
    const response = await fetch(`${at}${path}`, { method, headers: { authorization: 'Bearer open-sesame' } });
    statuses.push([`${method} ${path.replace(id, 'ID')}`, response.status]);
    told.push((await response.text()).replaceAll(path, ''));
  }
  expect(statuses.map(([, status]) => status)).toEqual([401, 401, 401, 401, 401, 404, 200, 200, 200, 200]);
  // The same of who is there, and of who is not.
  expect([told[1], told[4]]).toEqual([told[2], told[3]]);
  for (const text of told) for (const what of [id, other, 'alice', 'bob', 'lobby', secret]) expect(text).not.toContain(what);
  const token = readFileSync(join(rendezvous.directory, 'state/admin-token'), 'utf8').trim();
  const { peers: listed } = (await (await fetch(`${at}/v1/peers`, { headers: { authorization: `Bearer ${token}` } })).json()) as { peers: { id: string }[] };
  expect(listed.map((peer) => peer.id)).toEqual(expect.arrayContaining([id, other]));
});
