/** Content without consent, and answers of others: each is refused with its code, nothing reaches the disk, and everything else goes on. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  accept, chunkFrameType, dataRequest, encodeFrameHeader, encodePack, encodeReceiptBody, entryFailed, have, holeFrameType, manifestPage, manifestRequest, minChunkSize, offer as offerMessage,
  offered, packFrameMaxBytes, packFrameType, ping, receipt, type ReceiptBody, reject, sourceComplete, type TransferId,
} from '@peerd/protocol';
import { blake3 } from '@napi-rs/blake-hash';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeCanary, type Snapshot, snapshot } from '../../packages/transfer/test/support/snapshot.ts';
import { chunkFrame, consent, deliver, directory, file, makeOffer, openData, propose } from '../harness/scripted-offer.ts';
import { type ScriptedData, type ScriptedLink, ScriptedPeer, type Target, targetOf } from '../harness/scripted-peer.ts';
import { type Command } from '../harness/process.ts';
import { type Peer, World } from '../harness/world.ts';

let world: World;
let victim: Peer;
let mallory: ScriptedPeer;
let carol: ScriptedPeer;
let target: Target;
let link: ScriptedLink;
let other: ScriptedLink;
let canary: Snapshot;

const of = (transfer: TransferId) => (body: { transfer: TransferId }): boolean => body.transfer === transfer;
const state = async (transfer: TransferId): Promise<unknown> => (await victim.json<{ state: string }>('show', transfer)).state;
const inbox = (): string[] => readdirSync(victim.inboxDirectory);

/** Everything said before was dealt with. */
const settled = async (on: ScriptedLink = link): Promise<void> => {
  const seq = randomBytes(4).readUInt32BE();
  on.say(ping, { seq });
  await on.next('pong', (body) => body.seq === seq);
};

beforeAll(async () => {
  world = await World.create();
  makeCanary(join(world.directory, 'canary'), ['a', 'evil']);
  canary = snapshot(join(world.directory, 'canary'));
  victim = await world.peer('victim').start();
  mallory = await ScriptedPeer.create(join(world.directory, 'mallory'), 'mallory');
  carol = await ScriptedPeer.create(join(world.directory, 'carol'), 'carol');
  await Promise.all([mallory.pinnedAt(victim), carol.pinnedAt(victim)]);
  target = await targetOf(victim);
});
beforeEach(async () => {
  for (const peer of [mallory, carol]) peer.nonce = randomBytes(16);
  [link, other] = await Promise.all([mallory.link(target), carol.link(target)]);
});
afterEach(() => {
  if (JSON.stringify(snapshot(join(world.directory, 'canary'))) !== JSON.stringify(canary)) throw new Error('what stands outside was changed');
});
afterAll(async () => {
  for (const peer of [mallory, carol]) peer[Symbol.dispose]();
  await world[Symbol.asyncDispose]();
});

describe('of a sender', () => {
  test('content before consent: no token is given, and none is guessed', async () => {
    const before = inbox();
    const offer = makeOffer([file(['early'])]);
    link.say(dataRequest, { transfer: offer.transfer });
    link.say(offerMessage, offer.body);
    link.say(dataRequest, { transfer: offer.transfer });
    await link.next('manifest-request', of(offer.transfer));
    link.say(manifestPage, { transfer: offer.transfer, index: 0, page: offer.pages[0] });
    await link.next('offered', of(offer.transfer));
    link.say(dataRequest, { transfer: offer.transfer });
    link.say(sourceComplete, { transfer: offer.transfer, contentRoot: offer.contentRoot, chunksSent: 1 });
    // Its own word is no consent.
    link.say(accept, { transfer: offer.transfer, offerRoot: offer.body.offerRoot });
    await settled();
    expect(link.heard.filter(({ kind }) => ['data-token', 'accept', 'have'].includes(kind))).toEqual([]);
    for (const token of [Buffer.alloc(16), randomBytes(16)]) await expect(mallory.data(target, token)).rejects.toMatchObject({ code: 'token_invalid' });
    expect([await state(offer.transfer), inbox()]).toEqual(['offered', before]);
  });

  test('tokens work once, and for the key of the link only', async () => {
    const [one, second] = [makeOffer([file(['one'], 'one')]), makeOffer([file(['second'], 'second!')])];
    for (const offer of [one, second]) {
      await propose(link, offer);
      await victim.json('accept', offer.transfer);
      await consent(link, offer);
    }
    link.say(dataRequest, { transfer: one.transfer });
    const { token } = await link.next('data-token', of(one.transfer));
    // Another peer that got hold of it.
    await expect(carol.data(target, token)).rejects.toMatchObject({ code: 'token_invalid' });
    const data = await mallory.data(target, token);
    await expect(mallory.data(target, token)).rejects.toMatchObject({ code: 'token_invalid' });
    // Content of another transfer, however much of it was accepted.
    data.write(chunkFrame(0, second.chunks[0] ?? Buffer.alloc(0)));
    expect((await link.next('failed', of(one.transfer))).code).toBe('malformed_frame');
    await data.ended;
    await deliver(mallory, target, link, second);
    expect([await state(one.transfer), inbox().filter((name) => name.includes('one') || name.startsWith('.peerd'))]).toEqual(['failed', []]);
    expect(readFileSync(join(victim.inboxDirectory, 'second'), 'utf8')).toBe('second!');
  });

  const large = randomBytes(2 * minChunkSize + 100);
  const [first, middle, last] = [0, 1, 2].map((chunk) => large.subarray(chunk * minChunkSize, (chunk + 1) * minChunkSize));
  const small = Buffer.from('small');
  const at = (index: number, content: Buffer): { index: number; hash: Buffer; content: Buffer } => ({ index, hash: blake3(content), content });
  const unannounced: [what: string, code: string, say: (data: ScriptedData) => void][] = [
    ['a chunk behind the last', 'malformed_frame', (data) => data.write(chunkFrame(4, small))],
    ['a chunk of no index', 'malformed_frame', (data) => data.write(chunkFrame(Number.MAX_SAFE_INTEGER, small))],
    ['an index that is too large', 'malformed_frame', (data) => data.write(Buffer.concat([encodeFrameHeader(chunkFrameType, 45), Buffer.alloc(8, 0xff), blake3(small), small]))],
    ['one byte more', 'malformed_frame', (data) => data.write(chunkFrame(2, Buffer.concat([last ?? small, Buffer.of(0)])))],
    ['one byte less', 'malformed_frame', (data) => data.write(chunkFrame(2, (last ?? small).subarray(1)))],
    ['a whole chunk for a short one', 'malformed_frame', (data) => data.write(chunkFrame(3, first ?? small))],
    ['no content', 'malformed_frame', (data) => data.frame(chunkFrameType, Buffer.alloc(40))],
    ['a false hash', 'integrity', (data) => data.write(chunkFrame(3, small, randomBytes(32)))],
    ['a chunk twice', 'malformed_frame', (data) => [3, 3].forEach((index) => data.write(chunkFrame(index, small)))],
    ['a chunk twice in one pack', 'malformed_frame', (data) => encodePack([at(3, small), at(3, small)]).forEach((part) => data.write(part))],
    ['a part of a file in a pack', 'malformed_frame', (data) => encodePack([at(1, middle ?? small)]).forEach((part) => data.write(part))],
    ['a pack with bytes behind its files', 'malformed_frame', (data) => data.frame(packFrameType, Buffer.concat([...encodePack([at(3, small)]).slice(1), small]))],
    ['a pack of nothing', 'malformed_frame', (data) => data.frame(packFrameType, Buffer.alloc(4))],
    ['a pack that says more than it has', 'malformed_frame', (data) => data.frame(packFrameType, Buffer.from([0, 0, 4, 0]))],
    ['a hole that was not announced', 'malformed_frame', (data) => data.frame(holeFrameType, Buffer.from([0, 0, 0, 0, 0, 0, 0, 4]))],
    ['a hole of another length', 'frame_too_large', (data) => data.frame(holeFrameType, Buffer.alloc(9))],
    ['a frame that is too large', 'frame_too_large', (data) => data.write(encodeFrameHeader(packFrameType, packFrameMaxBytes + 1))],
  ];

  test('bytes that were not announced: the transfer ends with its code, nothing is kept of it, another one goes on', async () => {
    const before = inbox();
    await victim.json('policy', mallory.id, 'auto');
    const bystander = makeOffer([directory('bystander'), file(['bystander', 'file'], large)]);
    await propose(link, bystander);
    await consent(link, bystander);
    for (const [what, code, say] of unannounced) {
      const offer = makeOffer([directory('evil'), file(['evil', 'large'], large), file(['evil', 'small'], small)]);
      await propose(link, offer);
      await consent(link, offer);
      const data = await openData(mallory, target, link, offer.transfer);
      data.write(chunkFrame(0, first ?? small));
      say(data);
      expect([what, (await link.next('failed', of(offer.transfer))).code]).toEqual([what, code]);
      await data.ended;
    }
    await deliver(mallory, target, link, bystander);
    await expect.poll(inbox).toEqual([...before, 'bystander'].sort());
    await victim.json('policy', mallory.id, 'ask');
  });

  test('an end without all of it, or of other content: asked for again, then given up; nothing arrives', async () => {
    const before = inbox();
    for (const chunks of [0, 1]) {
      const offer = makeOffer([file(['wrong'], 'right')]);
      await propose(link, offer);
      await victim.json('accept', offer.transfer);
      await consent(link, offer);
      if (chunks > 0) {
        const data = await openData(mallory, target, link, offer.transfer);
        data.write(chunkFrame(0, Buffer.from('right')));
        data.channel.end();
        await data.ended;
      }
      let rounds = 0;
      for (;;) {
        link.say(sourceComplete, { transfer: offer.transfer, contentRoot: chunks > 0 ? randomBytes(32) : offer.contentRoot, chunksSent: 9 });
        const answer = await link.nextOf(['accept', 'failed', 'receipt'], ({ body }) => of(offer.transfer)(body as never));
        if (answer.kind !== 'accept') {
          expect(answer).toMatchObject({ kind: 'failed', body: { code: 'integrity' } });
          break;
        }
        rounds += 1;
        await link.next('have', (body) => body.transfer === offer.transfer && body.last);
      }
      expect(rounds).toBe(3);
    }
    await expect.poll(inbox).toEqual(before);
  });

  test('another offer of the same name, and pages that nobody asked for: what was accepted is what arrives', async () => {
    const offer = makeOffer([file(['agreed'], 'agreed')]);
    const changed = makeOffer([file(['.bashrc'], 'evil!!')], { transfer: offer.transfer });
    await propose(link, offer);
    for (const body of [changed.body, { ...offer.body, bytes: 7 }, { ...offer.body, conflict: 'overwrite' }, { ...offer.body, chunkSize: 2 * minChunkSize }]) {
      link.say(offerMessage, body);
      expect((await link.next('reject', of(offer.transfer))).code).toBe('manifest_invalid');
    }
    const page = { transfer: offer.transfer, page: changed.pages[0] };
    for (const index of [0, 1, 2 ** 40]) link.say(manifestPage, { ...page, index });
    await victim.json('accept', offer.transfer);
    await consent(link, offer);
    for (const index of [0, 1]) link.say(manifestPage, { ...page, index });
    link.say(offerMessage, changed.body);
    expect((await link.next('reject', of(offer.transfer))).code).toBe('manifest_invalid');
    await deliver(mallory, target, link, offer);
    expect(readFileSync(join(victim.inboxDirectory, 'agreed'), 'utf8')).toBe('agreed');
    expect(inbox()).not.toContain('.bashrc');
    // And when it is over, it is over.
    link.say(dataRequest, { transfer: offer.transfer });
    for (const index of [0, 1]) link.say(manifestPage, { ...page, index });
    link.say(sourceComplete, { transfer: offer.transfer, contentRoot: randomBytes(32), chunksSent: 1 });
    await settled();
    expect([await state(offer.transfer), link.heard.filter(({ kind }) => kind === 'data-token').length]).toEqual(['done', 1]);
  });

  test('pages out of turn end the offer', async () => {
    const offer = makeOffer([file(['x'])]);
    link.say(offerMessage, offer.body);
    await link.next('manifest-request', of(offer.transfer));
    link.say(manifestPage, { transfer: offer.transfer, index: 1, page: offer.pages[0] });
    expect((await link.next('failed', of(offer.transfer))).code).toBe('manifest_invalid');
    await expect.poll(() => readdirSync(join(victim.directory, 'state/transfers/in', mallory.id))).not.toContain(offer.transfer);
  });

  test('an entry that was not announced ends the link only', async () => {
    const offer = makeOffer([file(['kept'], 'kept')]);
    await propose(link, offer);
    link.say(entryFailed, { transfer: offer.transfer, entry: 1, code: 'io_error', message: '' });
    expect(await link.ended).toBe('malformed_frame');
    expect(await state(offer.transfer)).toBe('offered');
    await settled(other);
  });

  test('what belongs to another peer is not found', async () => {
    const offer = makeOffer([file(['private'], 'private')]);
    await propose(link, offer);
    await victim.json('accept', offer.transfer);
    await consent(link, offer);
    other.say(dataRequest, { transfer: offer.transfer });
    other.say(manifestPage, { transfer: offer.transfer, index: 0, page: offer.pages[0] });
    other.say(entryFailed, { transfer: offer.transfer, entry: 0, code: 'io_error', message: '' });
    other.say(sourceComplete, { transfer: offer.transfer, contentRoot: randomBytes(32), chunksSent: 1 });
    await settled(other);
    expect(other.heard.map(({ kind }) => kind).filter((kind) => !['select', 'pong', 'ping'].includes(kind))).toEqual([]);
    await deliver(mallory, target, link, offer);
  });
});

describe('of a receiver', () => {
  const send = async (content = 'secret'): Promise<{ command: Command; transfer: TransferId; offerRoot: Uint8Array }> => {
    mkdirSync(join(victim.directory, 'out'), { recursive: true });
    writeFileSync(join(victim.directory, 'out/secret'), content);
    const command = victim.command(['--json', 'send', mallory.id, 'out/secret']);
    const { transfer, offerRoot } = await link.next('offer');
    link.say(manifestRequest, { transfer, fromPage: 0 });
    await link.next('manifest-page', of(transfer));
    link.say(offered, { transfer });
    await command.line((line) => line['event'] === 'offered');
    return { command, transfer, offerRoot };
  };
  const nothing = { start: 0, hashes: new Uint8Array(0), last: true };
  /** The token with which the sender lets us dial. */
  const take = async (transfer: TransferId): Promise<ScriptedData> => mallory.data(target, (await link.next('data-token', of(transfer))).token);
  const finalCode = async (command: Command): Promise<unknown> => {
    await command.result;
    const end = command.lines.at(-1) as { error?: { code: string }; event: string };
    return end.error?.code ?? end.event;
  };

  test('consent by another peer, and for another manifest: not a byte is sent', async () => {
    const { command, transfer, offerRoot } = await send();
    other.say(accept, { transfer, offerRoot });
    other.say(have, { transfer, ...nothing });
    other.say(manifestRequest, { transfer, fromPage: 0 });
    other.say(dataRequest, { transfer });
    other.say(receipt, { transfer, body: Buffer.alloc(10), signature: Buffer.alloc(64), savedAs: [] });
    other.say(reject, { transfer, code: 'rejected', message: '' });
    await other.next('cancel', of(transfer));
    await settled(other);
    expect(other.heard.map(({ kind }) => kind).filter((kind) => ['manifest-page', 'data-token', 'offer'].includes(kind))).toEqual([]);
    expect(await state(transfer)).toBe('offered');
    link.say(accept, { transfer, offerRoot: randomBytes(32) });
    link.say(have, { transfer, ...nothing });
    expect((await link.next('failed', of(transfer))).code).toBe('manifest_invalid');
    expect(link.heard.filter(({ kind }) => kind === 'data-token')).toEqual([]);
    expect(await finalCode(command)).toBe('manifest_invalid');
  });

  test('a token for content that another peer has got', async () => {
    const { command, transfer, offerRoot } = await send();
    link.say(accept, { transfer, offerRoot });
    link.say(have, { transfer, ...nothing });
    const { token } = await link.next('data-token', of(transfer));
    await expect(carol.data(target, token)).rejects.toMatchObject({ code: 'token_invalid' });
    const data = await mallory.data(target, token);
    // A second answer: the round of before counts for nothing, and a rejection is the last one.
    link.say(accept, { transfer, offerRoot });
    await data.ended;
    link.say(reject, { transfer, code: 'rejected', message: 'no more' });
    await link.next('receipt-ack', of(transfer));
    link.say(accept, { transfer, offerRoot });
    link.say(have, { transfer, ...nothing });
    await settled();
    expect(await state(transfer)).toBe('rejected');
    expect(await finalCode(command)).toBe('rejected');
    expect(link.heard.filter(({ kind }) => kind === 'data-token').length).toBeLessThanOrEqual(2);
  });

  test.each([
    ['of chunks that do not exist', [{ start: 1, hashes: Buffer.alloc(32), last: true }]],
    ['that end behind the last', [{ start: 0, hashes: Buffer.alloc(64), last: true }]],
    ['far away', [{ start: Number.MAX_SAFE_INTEGER - 1, hashes: Buffer.alloc(32), last: true }]],
    ['that overlap', [{ start: 0, hashes: Buffer.alloc(32), last: false }, { start: 0, hashes: Buffer.alloc(32), last: true }]],
  ])('claims %s end the transfer', async (_what, pages) => {
    const { command, transfer, offerRoot } = await send();
    link.say(accept, { transfer, offerRoot });
    for (const page of pages) link.say(have, { transfer, ...page });
    expect((await link.next('failed', of(transfer))).code).toBe('malformed_frame');
    expect(await finalCode(command)).toBe('malformed_frame');
  });

  test('a claim with a false hash: the chunk is sent', async () => {
    const { command, transfer, offerRoot } = await send();
    link.say(accept, { transfer, offerRoot });
    link.say(have, { transfer, start: 0, hashes: randomBytes(32), last: true });
    const data = await take(transfer);
    await data.ended;
    await link.next('source-complete', (body) => body.transfer === transfer && body.chunksSent === 1);
    await victim.json('cancel', transfer);
    expect((await command.result).code).toBe(6);
  });

  const body = (transfer: TransferId, offerRoot: Uint8Array, contentRoot: Uint8Array): ReceiptBody => ({
    transfer, sender: victim.id, receiver: mallory.id, offerRoot, contentRoot, receivedAt: Date.now(), durability: 'none', delivered: 1, failed: 0,
  });
  test.each<[string, (true_: ReceiptBody) => Partial<ReceiptBody>, signer?: 'carol']>([
    ['for other content', () => ({ contentRoot: randomBytes(32) })],
    ['for another offer', () => ({ offerRoot: randomBytes(32) })],
    ['for another transfer', () => ({ transfer: '01jd0000000000000000000000' })],
    ['of another receiver', () => ({ receiver: carol.id })],
    ['for another sender', () => ({ sender: carol.id })],
    ['for more entries', () => ({ delivered: 2 })],
    ['for skipped entries that nobody wanted skipped', () => ({ delivered: 0, skipped: 1 })],
    ['signed by another', () => ({}), 'carol'],
  ])('a receipt %s proves nothing', async (_what, change, signer) => {
    const { command, transfer, offerRoot } = await send();
    link.say(accept, { transfer, offerRoot });
    link.say(have, { transfer, ...nothing });
    const data = await take(transfer);
    await data.ended;
    const { contentRoot } = await link.next('source-complete', of(transfer));
    const honest = body(transfer, offerRoot, contentRoot);
    const bytes = encodeReceiptBody({ ...honest, ...change(honest) });
    link.say(receipt, { transfer, body: bytes, signature: (signer === 'carol' ? carol : mallory).identity.sign(bytes), savedAs: [] });
    expect((await link.next('failed', of(transfer))).code).toBe('integrity');
    expect(await finalCode(command)).toBe('integrity');
  });

  test('a receipt before anything was sent proves nothing', async () => {
    const { command, transfer, offerRoot } = await send();
    const bytes = encodeReceiptBody(body(transfer, offerRoot, Buffer.alloc(32)));
    link.say(receipt, { transfer, body: bytes, signature: mallory.identity.sign(bytes), savedAs: [] });
    expect((await link.next('failed', of(transfer))).code).toBe('integrity');
    expect(await finalCode(command)).toBe('integrity');
  });
});
