import { randomBytes } from 'node:crypto';
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { chunkSize, createWorld, type Peer, type Wire, type World } from './linked-services.ts';

const never = new AbortController().signal;
const chunks = 40;

interface Started {
  readonly world: World;
  readonly id: string;
  readonly content: Buffer;
}

const begin = async (accept: 'ask' | 'auto'): Promise<Started> => {
  const world = await createWorld({ bob: { accept } });
  const content = randomBytes(chunks * chunkSize);
  const path = join(world.alice.directory, 'big');
  await writeFile(path, content);
  const { transfers } = await world.alice.service.send({ peers: ['bob'], paths: [path] }, never);
  return { world, id: transfers[0]?.id ?? '', content };
};

/** Content stops after so many chunks; resolves when it does. What waits then is lost with its connection. */
const holdAfter = (wire: Wire, count: number): { held: Promise<void>; release: () => void } => {
  const held = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  wire.onFrame = async (_frame, seen) => {
    if (seen <= count) return;
    held.resolve();
    await released.promise;
  };
  return { held: held.promise, release: released.resolve };
};

const pausedBy = async (peer: Peer, id: string): Promise<readonly string[] | undefined> => (await peer.service.show(id, {})).pausedBy;

const arrives = async ({ world, id, content }: Started): Promise<void> => {
  await Promise.all([world.alice.reaches(id, 'done'), world.bob.reaches(id, 'done')]);
  expect((await readFile(join(world.bob.settings.downloadDir, 'big'))).equals(content)).toBe(true);
  expect((await world.bob.service.show(id, {})).chunks).toMatchObject({ received: chunks, rewritten: 0 });
};

/** Files below a directory that this process has open. */
const openBelow = async (directory: string): Promise<string[]> => {
  const links = await Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return links.filter((path) => path.startsWith(directory));
};

describe('pause', () => {
  test.each(['alice', 'bob'] as const)('in the middle, by %s: nothing is open at either end, and it goes on with what was there', async (who) => {
    const started = await begin('auto');
    const { world, id } = started;
    const { alice, bob } = world;
    const wire = world.link();
    const { held, release } = holdAfter(wire, 15);
    await held;
    expect(await world[who].service.hold(id, true)).toMatchObject({ state: 'paused', transfer: { state: 'paused', pausedBy: [who === 'alice' ? 'sender' : 'receiver'] } });
    expect(await world[who].service.hold(id, true)).toMatchObject({ state: 'already_paused' });
    await Promise.all([alice.reaches(id, 'paused'), bob.reaches(id, 'paused')]);
    release();
    await vi.waitFor(async () => expect(await openBelow(bob.settings.downloadDir)).toEqual([]), { timeout: 20_000 });
    expect(await pausedBy(alice, id)).toEqual(await pausedBy(bob, id));
    expect(alice.service.counts()).toMatchObject({ active: 0, waiting: 1 });
    expect(await world[who].service.hold(id, false)).toMatchObject({ state: 'resumed' });
    await arrives(started);
    const { reused } = (await bob.service.show(id, {})).chunks;
    expect(reused).toBeGreaterThanOrEqual(14);
    expect((await alice.service.show(id, {})).pausedBy).toBeUndefined();
  });

  test('both pause: it runs when both have let go, and survives restarts of both', async () => {
    const started = await begin('auto');
    const { world, id } = started;
    const { alice, bob } = world;
    const wire = world.link();
    const { held, release } = holdAfter(wire, 10);
    await held;
    await Promise.all([alice.service.hold(id, true), bob.service.hold(id, true)]);
    await vi.waitFor(async () => expect([await pausedBy(alice, id), await pausedBy(bob, id)]).toEqual([['sender', 'receiver'], ['sender', 'receiver']]), { timeout: 20_000 });
    release();
    wire.cut();
    for (const peer of [alice, bob]) {
      await peer.stop();
      await peer.start();
      expect(await pausedBy(peer, id)).toEqual(['sender', 'receiver']);
      // Nobody is dialled for what is held here.
      expect(peer.needed.size).toBe(0);
    }
    world.link();
    await bob.service.hold(id, false);
    expect(await pausedBy(bob, id)).toEqual(['sender']);
    await vi.waitFor(async () => expect(await pausedBy(alice, id)).toEqual(['sender']), { timeout: 20_000 });
    await alice.service.hold(id, false);
    await arrives(started);
  });

  test('before the receiver was reached: the offer tells it, and it can be accepted meanwhile', async () => {
    const started = await begin('ask');
    const { world, id } = started;
    const { alice, bob } = world;
    await alice.service.hold(id, true);
    expect(await alice.service.list()).toMatchObject([{ state: 'paused', pausedBy: ['sender'] }]);
    const wire = world.link();
    await bob.event((event) => event.kind === 'offer' && event.id === id);
    expect(await bob.service.inbox()).toMatchObject([{ id }]);
    expect(await bob.service.accept(id, {})).toMatchObject({ state: 'accepted', transfer: { state: 'paused', pausedBy: ['sender'] } });
    expect(wire.dataConnections).toBe(0);
    expect(wire.seen).not.toContain('alice accept');
    await alice.service.hold(id, false);
    await arrives(started);
  });

  test('by the receiver while it decides: nothing flows after consent until it resumes', async () => {
    const started = await begin('ask');
    const { world, id } = started;
    const { alice, bob } = world;
    const wire = world.link();
    await bob.event((event) => event.kind === 'offer' && event.id === id);
    await bob.service.hold(id, true);
    await alice.reaches(id, 'paused');
    expect(await pausedBy(alice, id)).toEqual(['receiver']);
    await bob.service.accept(id, {});
    expect(wire.dataConnections).toBe(0);
    await bob.service.hold(id, false);
    await arrives(started);
  });

  test('a paused transfer can be cancelled, and one that is over cannot be paused', async () => {
    const { world, id } = await begin('auto');
    const { alice, bob } = world;
    const wire = world.link();
    const { held, release } = holdAfter(wire, 5);
    await held;
    await bob.service.hold(id, true);
    await alice.reaches(id, 'paused');
    release();
    expect(await alice.service.cancel(id)).toMatchObject({ state: 'cancelled', transfer: { state: 'cancelled' } });
    await vi.waitFor(async () => expect(await bob.service.list()).toMatchObject([{ state: 'cancelled' }]), { timeout: 20_000 });
    await vi.waitFor(async () => expect(await readdir(bob.settings.downloadDir)).toEqual([]), { timeout: 20_000 });
    await expect(alice.service.hold(id, true)).rejects.toMatchObject({ code: 'wrong_state', hint: 'It is over.' });
    await expect(bob.service.hold(id, false)).rejects.toMatchObject({ code: 'wrong_state' });
  });

  test('paused and resumed at once, again and again, it arrives all the same', async () => {
    const started = await begin('auto');
    const { world, id } = started;
    const { alice, bob } = world;
    world.link();
    await bob.event((event) => event.kind === 'transfer' && event.transfer.id === id);
    for (let round = 0; round < 12; round += 1) {
      const peer = round % 3 === 0 ? alice : bob;
      // It may be over by then.
      const paused = await peer.service.hold(id, true).then(() => true, () => false);
      if (paused) await peer.service.hold(id, false);
    }
    await arrives(started);
    expect([await pausedBy(alice, id), await pausedBy(bob, id)]).toEqual([undefined, undefined]);
  });
});
