import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { upkeepIntervalMs } from '../../src/transfer/upkeep.ts';
import { chunkSize, createWorld, type Peer, type Wire, type World } from './linked-services.ts';

const day = 86_400_000;

/** An offer at bob, whose link to alice has ended. */
const offeredOnce = async (): Promise<World & { id: string }> => {
  const world = await createWorld();
  const path = join(world.alice.directory, 'file');
  await writeFile(path, 'content');
  const wire = world.link();
  const { transfers } = await world.alice.service.send({ peers: ['bob'], paths: [path] }, new AbortController().signal);
  const id = transfers[0]?.id ?? '';
  await world.bob.event((event) => event.kind === 'offer' && event.id === id);
  wire.cut();
  return { ...world, id };
};

/** As if the daemon was started again after so many days. */
const after = async (peer: Peer, days: number): Promise<void> => {
  await peer.stop();
  peer.now = () => Date.now() + days * day;
  await peer.start();
};
const patience = { timeout: 20_000 };

test('an offer that was not accepted is remembered for 7 days, and its sender is told for as long', async () => {
  const { alice, bob, id } = await offeredOnce();
  await bob.service.reject(id, {});
  const known = async (): Promise<unknown> => [bob.service.hasUnfinishedTransfer(alice.id), (await bob.service.list()).map((transfer) => transfer.id)];
  await after(bob, 6);
  await vi.waitFor(async () => expect(await known()).toEqual([true, [id]]), patience);
  await after(bob, 8);
  await vi.waitFor(async () => expect(await known()).toEqual([false, []]), patience);
});

const silentAfter = (frames: number) => (_frame: unknown, count: number): void | Promise<void> => (count > frames ? new Promise<void>(() => {}) : undefined);

/** A transfer to bob that a person accepted there, of which some chunks have arrived; upkeep looks when the test says so. */
const begun = async (): Promise<World & { id: string; wire: Wire; look: (day: number) => void }> => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const world = await createWorld();
  const { alice, bob } = world;
  const path = join(alice.directory, 'file');
  await writeFile(path, randomBytes(80 * chunkSize));
  const wire = world.link();
  wire.onFrame = silentAfter(20);
  const { transfers } = await alice.service.send({ peers: ['bob'], paths: [path] }, new AbortController().signal);
  const id = transfers[0]?.id ?? '';
  await bob.event((event) => event.kind === 'offer' && event.id === id);
  await bob.service.accept(id, {});
  await bob.event((event) => event.kind === 'progress' && event.bytesDone > 0);
  const look = (at: number): void => {
    bob.now = () => Date.now() + at * day;
    vi.advanceTimersByTime(upkeepIntervalMs);
  };
  return { ...world, id, wire, look };
};

const whyAt = async ({ bob, id }: { bob: Peer; id: string }): Promise<string> => (await bob.service.why(id)).sentence;
const idle = (world: { bob: Peer; id: string }, days: number): Promise<void> => vi.waitFor(async () => expect(await whyAt(world)).toContain(`Nothing came from alice on ${days} day`), patience);
/** Upkeep has looked, and a new count has begun. */
const counts = (bob: Peer, from: 'content' | 'nothing'): Promise<void> =>
  vi.waitFor(async () => expect(await bob.database.get('SELECT idle_days, idle_at > 0 AS begun FROM transfers')).toEqual({ idle_days: 0, begun: from === 'content' ? 1 : 0 }), patience);

test('a sender that is linked and sends nothing is given up after 30 days, both sides are told, and nothing is left of it', async () => {
  const world = await begun();
  const { alice, bob, id, look } = world;
  look(0);
  await counts(bob, 'content');
  // A clock that is wrong for a while does not end it.
  look(400);
  await idle(world, 1);
  look(0);
  await vi.waitFor(async () => expect(await bob.database.get('SELECT idle_at < ? AS back FROM transfers', Date.now() + day)).toEqual({ back: 1 }), patience);
  for (let at = 1; at < 29; at += 1) {
    look(at);
    await idle(world, at + 1);
  }
  expect(await whyAt(world)).toContain('on 29 days, although it is linked now; after 30 it is given up.');
  expect(await readdir(bob.settings.downloadDir)).toHaveLength(1);
  look(29);
  await bob.reaches(id, 'failed');
  await alice.reaches(id, 'failed');
  for (const peer of [alice, bob]) expect(await peer.service.show(id, {})).toMatchObject({ error: { code: 'abandoned' } });
  await vi.waitFor(async () => expect(await readdir(bob.settings.downloadDir)).toEqual([]), patience);
}, 60_000);

test('restarts and links that come and go do not begin the count anew, new content does; what is held here waits', async () => {
  const world = await begun();
  const { bob, id, wire, look } = world;
  look(0);
  await counts(bob, 'content');
  wire.cut();
  const before = (await bob.service.show(id, {})).bytesDone;
  for (const days of [1, 2]) {
    await after(bob, days);
    await idle(world, days);
    expect(await whyAt(world)).toMatch(/on \d days?; after 30/);
  }
  const again = world.link();
  again.onFrame = silentAfter(20);
  await vi.waitFor(async () => expect((await bob.service.show(id, {})).bytesDone).toBeGreaterThan(before), patience);
  look(3);
  await counts(bob, 'content');
  look(4);
  await idle(world, 1);
  await bob.service.hold(id, true);
  look(5);
  await counts(bob, 'nothing');
});
