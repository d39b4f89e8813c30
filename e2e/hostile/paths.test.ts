/** The path corpus through every way to receive. What is outside of the destination is compared with what it was, inode by inode. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { conflictPolicies, maxEntries, offer as offerMessage, ping } from '@peerd/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { described, makeCanary, type Snapshot, snapshot } from '../../packages/transfer/test/support/snapshot.ts';
import { chunkFrame, consent, deliver, directory, file, makeOffer, openData, propose, type ScriptedEntry, type ScriptedOffer, sendManifest } from '../harness/scripted-offer.ts';
import { type ScriptedLink, ScriptedPeer, type Target, targetOf } from '../harness/scripted-peer.ts';
import { type Peer, World } from '../harness/world.ts';
import { oddEntries, refusedManifests } from './manifests.ts';

let world: World;
let victim: Peer;
let mallory: ScriptedPeer;
let target: Target;
let link: ScriptedLink;
let canary: string;
let untouched: Snapshot;

const places = (): { inbox: string; grant: string; chosen: string } => ({ inbox: victim.inboxDirectory, grant: join(victim.directory, 'grant'), chosen: join(victim.directory, 'chosen') });

beforeAll(async () => {
  world = await World.create();
  canary = join(world.directory, 'canary');
  makeCanary(canary, ['evil', 'x', 'a']);
  victim = await world.peer('victim').start();
  for (const place of [places().grant, places().chosen]) mkdirSync(place);
  mallory = await ScriptedPeer.create(join(world.directory, 'mallory'), 'mallory');
  await mallory.pinnedAt(victim);
  target = await targetOf(victim);
  untouched = snapshot(canary);
});
beforeEach(async () => {
  // As a peer that was started anew: the link of the test before is replaced.
  mallory.nonce = randomBytes(16);
  link = await mallory.link(target);
});
afterAll(async () => {
  mallory[Symbol.dispose]();
  await world[Symbol.asyncDispose]();
});

const policy = async (way: 'ask' | 'inbox' | 'grant'): Promise<void> =>
  void (await victim.json('policy', mallory.id, way === 'ask' ? 'ask' : 'auto', ...(way === 'grant' ? ['--into', places().grant] : [])));

/** The link is up and has dealt with everything before. */
const settled = async (): Promise<void> => {
  const seq = Math.floor(Math.random() * 2 ** 31);
  link.say(ping, { seq });
  await link.next('pong', (body) => body.seq === seq);
};

const asSeen = ({ path, content = new Uint8Array(0), mode = 0o644, mtime = [1_700_000_000, 0], type = 'file', target: leadsTo }: ScriptedEntry): [string, string] => {
  const kind = leadsTo === undefined ? { file: '100', directory: '40', symlink: '' }[type] : '120';
  const shown = leadsTo === undefined ? (type === 'file' ? createHash('sha256').update(content).digest('hex') : '') : Buffer.from(leadsTo).toString('latin1');
  return [path.map((component) => `/${Buffer.from(component).toString('latin1')}`).join(''), `${kind}${mode.toString(8).padStart(3, '0')} ${mtime[0]} ${shown}`];
};

/** Everything that stands in a directory, but the directory itself. */
const arrived = (where: string): [string, string][] => Object.entries(described(where)).filter(([path]) => path !== '').sort(([a], [b]) => (a < b ? -1 : 1));
const expected = (entries: readonly ScriptedEntry[]): [string, string][] => entries.map(asSeen).sort(([a], [b]) => (a < b ? -1 : 1));

describe('manifests that are refused', () => {
  test.each(['ask', 'inbox', 'grant'] as const)('policy %s, with each policy for conflicts', async (way) => {
    await policy(way);
    const before = Object.values(places()).map(snapshot);
    for (const conflict of conflictPolicies)
      for (const { what, code, make } of refusedManifests) {
        const offer = make({ conflict });
        await sendManifest(link, offer);
        const answer = await link.nextOf(['failed', 'offered'], ({ body }) => (body as { transfer: string }).transfer === offer.transfer);
        expect([what, answer]).toMatchObject([what, { kind: 'failed', body: { code } }]);
        // It was decided about for good.
        link.say(offerMessage, offer.body);
        await link.next('failed', ({ transfer }) => transfer === offer.transfer);
      }
    expect(link.heard.filter(({ kind }) => kind === 'offered' || kind === 'accept')).toEqual([]);
    expect(await victim.json('inbox')).toMatchObject({ offers: [] });
    await expect.poll(() => readdirSync(join(victim.directory, 'state/transfers/in', mallory.id))).toEqual([]);
    expect(Object.values(places()).map(snapshot)).toEqual(before);
    expect(snapshot(canary)).toEqual(untouched);
  });

  test('offers that can not be true: refused with their numbers, before any page', async () => {
    const too = (announced: object): ScriptedOffer => makeOffer([file(['x'])], { announced });
    const large = too({ manifestBytes: 65 * 1024 * 1024, pages: 300 });
    link.say(offerMessage, large.body);
    expect((await link.next('reject', ({ transfer }) => transfer === large.transfer)).code).toBe('manifest_too_large');
    for (const announced of [{ entries: maxEntries + 1 }, { entries: 2_000_000 }, { entries: -1 }, { entries: 0 }, { bytes: -1 }, { bytes: 2 ** 53 }, { pages: 0 }, { pages: maxEntries + 1 }, { chunkSize: 1 }, { chunkSize: 2 ** 31 }, { transfer: '../../evil' }, { transfer: `${'0'.repeat(25)}/` }, { offerRoot: Buffer.alloc(31) }, { conflict: '' }]) {
      link.say(offerMessage, too(announced).body);
      expect([announced, await link.ended]).toEqual([announced, 'malformed_frame']);
      link = await mallory.link(target);
    }
    expect(snapshot(canary)).toEqual(untouched);
  });

  test('more entries than were announced: the pages end with the first that is too many', async () => {
    const names = Array.from({ length: 3_000 }, (_, index) => file([String(index).padStart(4, '0')], ''));
    // More pages are said to follow: the end of the manifest is not waited for.
    const offer = makeOffer(names, { announced: { entries: 1_500, pages: 1_000 } });
    await sendManifest(link, offer);
    expect((await link.next('failed', ({ transfer }) => transfer === offer.transfer)).code).toBe('manifest_invalid');
  });
});

describe('odd names that arrive as they are', () => {
  const entries = oddEntries;

  const receive = async (offer: ScriptedOffer, ...accept: string[]): Promise<void> => {
    await propose(link, offer);
    if (accept.length > 0) await victim.json('accept', offer.transfer, ...accept.slice(1));
    await consent(link, offer);
    await deliver(mallory, target, link, offer);
  };

  test.each(conflictPolicies)('inbox, grant and --to DIR, policy %s', async (conflict) => {
    for (const way of ['ask', 'inbox', 'grant', 'chosen'] as const) {
      const where = way === 'grant' || way === 'chosen' ? places()[way] : places().inbox;
      const own = join(where, randomUUID());
      await policy(way === 'chosen' ? 'ask' : way);
      // A directory of its own for what is chosen; elsewhere a top-level name of its own.
      if (way === 'chosen') {
        mkdirSync(own);
        await receive(makeOffer(entries, { conflict }), 'accept', '--to', own);
        expect(arrived(own)).toEqual(expected(entries));
      } else {
        const top = randomUUID();
        const moved = [directory(top), ...entries.map((entry) => ({ ...entry, path: [top, ...entry.path] }))].filter(({ path }) => path.length <= 256);
        await receive(makeOffer(moved, { conflict }), ...(way === 'ask' ? ['accept'] : []));
        expect(arrived(join(where, top))).toEqual(expected(entries.filter(({ path }) => path.length < 256)));
      }
      expect(readdirSync(where).filter((name) => name.startsWith('.peerd'))).toEqual([]);
    }
    expect(snapshot(canary)).toEqual(untouched);
  });

  test('resumed after the receiver was killed in between', async () => {
    const own = join(places().chosen, randomUUID());
    mkdirSync(own);
    await policy('ask');
    const offer = makeOffer(entries);
    await propose(link, offer);
    await victim.json('accept', offer.transfer, '--to', own);
    await consent(link, offer);
    const data = await openData(mallory, target, link, offer.transfer);
    const half = Math.floor(offer.chunks.length / 2);
    for (const [index, content] of offer.chunks.entries()) if (index < half) data.write(chunkFrame(index, content));
    await link.next('progress', ({ received }) => received > 0);
    await victim.end('SIGKILL');
    await link.ended;
    await victim.start();
    target = await targetOf(victim);
    link = await mallory.link(target);
    link.say(offerMessage, offer.body);
    const have = await consent(link, offer);
    const there = new Set(have.flatMap(({ start, hashes }) => Array.from({ length: hashes.byteLength / 32 }, (_, at) => start + at)));
    await deliver(mallory, target, link, offer, there);
    expect(arrived(own)).toEqual(expected(entries));
    expect(snapshot(canary)).toEqual(untouched);
  });

  test.each(['rename', 'fail', 'overwrite', 'skip'] as const)('in the place of links that are there, policy %s', async (conflict) => {
    const own = join(places().chosen, randomUUID());
    mkdirSync(join(own, 'd'), { recursive: true });
    const targets = { file: join(canary, 'kept'), directory: canary, dangling: join(canary, 'absent'), loop: 'loop', relative: '../../../../canary/kept' };
    for (const [name, to] of Object.entries(targets)) for (const at of ['', 'd/', 'd/tree ', 'tree ']) symlinkSync(to, join(own, `${at}${name}`));
    writeFileSync(join(own, 'd/plain'), 'old');
    utimesSync(join(own, 'd'), 1, 1_600_000_000);
    const listed = (base: readonly string[]): ScriptedEntry[] =>
      Object.keys(targets).flatMap((name) => [file([...base, name], 'new'), directory(...base, `tree ${name}`), file([...base, `tree ${name}`, 'kept'], 'new')]);
    const names = [...listed([]), directory('d'), ...listed(['d']), file(['d', 'plain'], 'new')].sort((a, b) => (a.path.join('/') < b.path.join('/') ? -1 : 1));
    const offer = makeOffer(names, { conflict });
    const before = arrived(own);
    await policy('ask');
    await propose(link, offer);
    await victim.json('accept', offer.transfer, '--to', own);
    await consent(link, offer);
    const end = deliver(mallory, target, link, offer);
    if (conflict === 'fail') {
      end.catch(() => {});
      expect((await link.next('failed', ({ transfer }) => transfer === offer.transfer)).code).toBe('conflict');
      expect(arrived(own)).toEqual(before);
    } else await end;
    const [there, after] = [Object.fromEntries(before), described(own)];
    for (const name of Object.keys(targets))
      for (const at of ['/', '/d/']) {
        const isReplaced = conflict === 'overwrite';
        expect([name, at, after[`${at}${name}`]?.startsWith('100644')]).toEqual([name, at, isReplaced]);
        // A link to a directory is no directory: it is neither followed nor replaced.
        expect(after[`${at}tree ${name}`]).toBe(there[`${at}tree ${name}`]);
      }
    if (conflict === 'rename') expect(after).toMatchObject({ '/file (1)': expect.any(String), '/tree file (1)/kept': expect.any(String), '/d (1)/plain': expect.any(String) });
    expect(snapshot(canary)).toEqual(untouched);
  });

  test('cancelled at every stage: only what was made for it goes', async () => {
    const own = join(places().chosen, randomUUID());
    mkdirSync(join(own, 'odd'), { recursive: true });
    for (const name of ['.peerd-other', 'odd/kept', '.hidden']) writeFileSync(join(own, name), 'theirs');
    const before = snapshot(own);
    const stages: ((offer: ScriptedOffer) => Promise<unknown>)[] = [
      async () => {},
      (offer) => consent(link, offer),
      async (offer) => {
        await consent(link, offer);
        const data = await openData(mallory, target, link, offer.transfer);
        for (const [index, content] of offer.chunks.entries()) if (index % 2 === 0) data.write(chunkFrame(index, content));
        await link.next('progress', ({ received, transfer }) => transfer === offer.transfer && received > 0);
      },
    ];
    for (const [stage, run] of stages.entries()) {
      const offer = makeOffer(entries, { conflict: 'overwrite' });
      await propose(link, offer);
      if (stage > 0) await victim.json('accept', offer.transfer, '--to', own);
      await run(offer);
      await victim.json('cancel', offer.transfer);
      await link.next('cancel', ({ transfer }) => transfer === offer.transfer);
      await expect.poll(() => Object.keys(snapshot(own))).toEqual(Object.keys(before));
      // The directory itself has seen our staging directory come and go.
      expect(Object.entries(snapshot(own)).slice(1)).toEqual(Object.entries(before).slice(1));
    }
    await settled();
    expect(snapshot(canary)).toEqual(untouched);
  });
});
