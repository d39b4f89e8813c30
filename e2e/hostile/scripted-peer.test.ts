/** The instrument itself: as long as it keeps the rules it is a peer as any other. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { accept, have, manifestRequest, offered } from '@peerd/protocol';
import { expect, test } from 'vitest';
import { deliver, directory, file, makeOffer, propose, symlinkTo, consent } from '../harness/scripted-offer.ts';
import { ScriptedPeer, targetOf } from '../harness/scripted-peer.ts';
import { World } from '../harness/world.ts';

test('a scripted peer is introduced, sends, and gets a receipt', async () => {
  await using world = await World.create();
  const rendezvous = await world.rendezvous();
  const [victim] = await world.peersInOneRoom(['victim']);
  using mallory = await ScriptedPeer.create(join(world.directory, 'mallory'), 'mallory');
  const registration = await mallory.register(rendezvous.address);
  const entry = await mallory.introduce(registration, victim.id);
  const target = await targetOf(victim);
  expect(entry?.addresses.map(({ port }) => port)).toContain(target.port);
  const link = await mallory.link(target);
  const offer = makeOffer([directory('d'), file(['d', 'f'], Buffer.alloc(100_000, 'x')), symlinkTo('f', 'd', 'l')]);
  await propose(link, offer);
  await victim.json('accept', offer.transfer);
  await consent(link, offer);
  await deliver(mallory, target, link, offer);
  expect(await readFile(join(victim.inboxDirectory, 'd', 'l'), 'utf8')).toBe('x'.repeat(100_000));
});

test('a scripted peer is dialled, and receives', async () => {
  await using world = await World.create();
  const alice = await world.peer('alice').start();
  using bob = await ScriptedPeer.create(join(world.directory, 'bob'), 'bob');
  await bob.listen();
  await bob.pinnedAt(alice);
  await writeFile(join(alice.directory, 'x'), 'content');
  const send = alice.command(['--json', 'send', bob.id, 'x']);
  const link = await bob.accept();
  const { transfer, offerRoot } = await link.next('offer');
  link.say(manifestRequest, { transfer, fromPage: 0 });
  await link.next('manifest-page');
  link.say(offered, { transfer });
  await send.line((line) => line['event'] === 'offered');
  link.say(accept, { transfer, offerRoot });
  link.say(have, { transfer, start: 0, hashes: new Uint8Array(0), last: true });
  // alice has dialled the link: she asks for a token, and dials.
  await link.next('data-request', (body) => body.transfer === transfer);
  await alice.json('cancel', transfer);
  await link.next('cancel');
  expect((await send.result).code).toBe(6);
});
