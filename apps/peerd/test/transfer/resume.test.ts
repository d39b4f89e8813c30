import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { chunkSize, createWorld, type Peer, type Wire, type World } from './linked-services.ts';

const never = new AbortController().signal;
const chunks = 64;

interface Started {
  readonly world: World;
  readonly id: string;
  readonly content: Buffer;
}

const begin = async (accept: 'ask' | 'auto' = 'auto'): Promise<Started> => {
  const world = await createWorld({ bob: { accept } });
  const content = randomBytes(chunks * chunkSize);
  const path = join(world.alice.directory, 'big');
  await writeFile(path, content);
  const { transfers } = await world.alice.service.send({ peers: ['bob'], paths: [path] }, never);
  return { world, id: transfers[0]?.id ?? '', content };
};

/** Content stops after so many chunks; resolves when it does. */
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

const arrives = async ({ world, id, content }: Started): Promise<void> => {
  await Promise.all([world.alice.reaches(id, 'done'), world.bob.reaches(id, 'done')]);
  expect((await readFile(join(world.bob.settings.downloadDir, 'big'))).equals(content)).toBe(true);
  expect(await readdir(world.bob.settings.downloadDir)).toEqual(['big']);
};

const countersOf = async (peer: Peer, id: string): Promise<{ sent: number; received: number; reused: number; rewritten: number }> => (await peer.service.show(id, {})).chunks;

describe('resume', () => {
  test('the link is lost in the middle: only what is missing travels on the next one', async () => {
    const started = await begin();
    const { world, id } = started;
    const { alice, bob } = world;
    const wire = world.link();
    const { held } = holdAfter(wire, 20);
    await held;
    wire.cut();
    await Promise.all([alice.reaches(id, 'connecting'), bob.reaches(id, 'connecting')]);
    world.link();
    await arrives(started);
    const counters = await countersOf(bob, id);
    expect(counters).toMatchObject({ received: chunks, rewritten: 0 });
    expect(counters.reused).toBeGreaterThanOrEqual(19);
    expect(await countersOf(alice, id)).toMatchObject({ received: chunks, rewritten: 0, reused: counters.reused });
    expect(bob.states(id)).toEqual(['offered', 'accepted', 'transferring', 'connecting', 'accepted', 'transferring', 'verifying', 'done']);
  });

  test.each(['alice', 'bob', 'both'])('killed in the middle: %s', async (who) => {
    const started = await begin();
    const { world, id } = started;
    const { alice, bob } = world;
    const wire = world.link();
    const { held } = holdAfter(wire, 30);
    await held;
    await journalled(world, id);
    wire.cut();
    for (const peer of [alice, bob]) {
      if (who !== 'both' && peer.name !== who) continue;
      await peer.kill();
      await peer.start();
    }
    world.link();
    await arrives(started);
    const counters = await countersOf(bob, id);
    expect(counters).toMatchObject({ received: chunks, rewritten: 0 });
    expect(counters.reused).toBeGreaterThan(0);
    expect(counters.reused).toBeLessThan(chunks);
  });

  test('killed while the offer waits: it is still in the inbox, and is delivered after a late consent', async () => {
    const started = await begin('ask');
    const { world, id } = started;
    const { alice, bob } = world;
    const wire = world.link();
    await bob.event((event) => event.kind === 'offer' && event.id === id);
    wire.cut();
    await bob.kill();
    await bob.start();
    expect(await bob.service.inbox()).toMatchObject([{ id }]);
    // Without a link: the sender is asked for as soon as it is wanted.
    await bob.service.accept(id, {});
    expect(bob.needed.size).toBe(1);
    expect((await bob.service.show(id, {})).state).toBe('connecting');
    await alice.kill();
    await alice.start();
    expect(alice.needed.size).toBe(1);
    world.link();
    await arrives(started);
  });

  test('killed with everything there but the receipt: nothing is delivered twice, and the receipt comes', async () => {
    const started = await begin();
    const { world, id } = started;
    const { alice, bob } = world;
    const wire = world.link();
    wire.onMessage = (_to, message) => (message.kind === 'receipt' ? undefined : message);
    await bob.reaches(id, 'done');
    await bob.kill();
    await bob.start();
    expect(bob.needed.size).toBe(1);
    expect(alice.states(id).at(-1)).toBe('verifying');
    const next = world.link();
    await arrives(started);
    expect(next.dataConnections).toBe(0);
    expect((await countersOf(alice, id)).received).toBe(chunks);
    await settled(bob);

    // A sender that has forgotten how it ended asks again, and gets the receipt again.
    await alice.database.run("UPDATE transfers SET state = 'verifying', finished_at = NULL");
    await alice.kill();
    await alice.start();
    const again = world.link();
    await alice.reaches(id, 'done');
    expect(again.dataConnections).toBe(0);
    expect(await readdir(bob.settings.downloadDir)).toEqual(['big']);
  });

  test('killed when everything was there but not placed: it is placed after the restart, without the sender', async () => {
    const started = await begin();
    const { world, id } = started;
    const { alice, bob } = world;
    const wire = world.link();
    wire.onMessage = (_to, message) => (message.kind === 'source-complete' ? undefined : message);
    await alice.reaches(id, 'verifying');
    await journalled(world, id, chunks);
    wire.cut();
    await asVerifying(world);
    await bob.kill();
    await bob.start();
    await bob.reaches(id, 'done');
    expect(bob.needed.size).toBe(1);
    world.link();
    await arrives(started);
    await settled(bob);
  });

  test('the sender says that everything was sent when it was not: the rest is asked for', async () => {
    const started = await begin();
    const { world, id } = started;
    const { alice, bob } = world;
    const wire = world.link();
    const { held } = holdAfter(wire, 30);
    await held;
    await journalled(world, id, 20);
    wire.cut();
    await asVerifying(world);
    await bob.kill();
    await bob.start();
    await bob.reaches(id, 'connecting');
    world.link();
    await arrives(started);
    expect(await countersOf(alice, id)).toMatchObject({ rewritten: 0 });
  });

  test('a data connection is lost while the link lives: another one is opened', async () => {
    const started = await begin();
    const { world, id } = started;
    const wire = world.link();
    let cuts = 0;
    wire.onFrame = (_frame, count) => {
      if (count % 20 !== 0 || cuts === 2) return;
      cuts += 1;
      wire.cutData();
    };
    await arrives(started);
    expect(wire.dataConnections).toBe(3);
    expect(await countersOf(world.bob, id)).toMatchObject({ received: chunks, rewritten: 0 });
    expect(wire.seen.filter((line) => line === 'bob offer')).toHaveLength(3);
  });

  test('data connections are replaced after so many bytes', async () => {
    const world = await createWorld({ alice: { dataConnectionMaxBytes: 10 * chunkSize }, bob: { accept: 'auto' } });
    const path = join(world.alice.directory, 'big');
    await writeFile(path, randomBytes(chunks * chunkSize));
    const wire = world.link();
    const { transfers } = await world.alice.service.send({ peers: ['bob'], paths: [path] }, never);
    const id = transfers[0]?.id ?? '';
    await Promise.all([world.alice.reaches(id, 'done'), world.bob.reaches(id, 'done')]);
    expect(wire.dataConnections).toBeGreaterThanOrEqual(7);
    expect(wire.seen.filter((line) => line === 'bob offer')).toHaveLength(1);
    expect((await readFile(join(world.bob.settings.downloadDir, 'big'))).equals(await readFile(path))).toBe(true);
  });

  test('more content flows than slots: the others wait their turn', async () => {
    const world = await createWorld({ bob: { accept: 'auto' } });
    const wire = world.link();
    const gate = Promise.withResolvers<void>();
    wire.onFrame = () => gate.promise;
    const ids: string[] = [];
    for (let count = 0; count < 7; count += 1) {
      const path = join(world.alice.directory, `file ${count}`);
      await writeFile(path, randomBytes(3 * chunkSize));
      const { transfers } = await world.alice.service.send({ peers: ['bob'], paths: [path] }, never);
      ids.push(transfers[0]?.id ?? '');
    }
    // All have their `have` pages, and still only four flow.
    await vi.waitFor(() => expect(wire.seen.filter((line) => line === 'alice have')).toHaveLength(7), { timeout: 20_000 });
    await vi.waitFor(() => expect(wire.dataConnections).toBe(4), { timeout: 20_000 });
    expect(ids.map((id) => world.alice.states(id).at(-1) ?? '').toSorted((one, other) => one.localeCompare(other))).toEqual([...Array(3).fill('accepted'), ...Array(4).fill('transferring')]);
    gate.resolve();
    await Promise.all(ids.flatMap((id) => [world.alice.reaches(id, 'done'), world.bob.reaches(id, 'done')]));
    expect([wire.mostData, wire.dataConnections]).toEqual([4, 7]);
    expect((await readdir(world.bob.settings.downloadDir)).length).toBe(7);
  });
});

describe('cancel', () => {
  const untilState: Record<'offered' | 'transferring' | 'connecting', (started: Started) => Promise<Wire | undefined>> = {
    offered: async ({ world, id }) => {
      const wire = world.link();
      await world.bob.event((event) => event.kind === 'offer' && event.id === id);
      await world.alice.reaches(id, 'offered');
      return wire;
    },
    transferring: async ({ world, id }) => {
      const wire = world.link();
      const { held } = holdAfter(wire, 10);
      await world.bob.event((event) => event.kind === 'offer' && event.id === id);
      await world.bob.service.accept(id, {});
      await held;
      return wire;
    },
    connecting: async ({ world, id }) => {
      const wire = world.link();
      const { held } = holdAfter(wire, 10);
      await world.bob.event((event) => event.kind === 'offer' && event.id === id);
      await world.bob.service.accept(id, {});
      await held;
      wire.cut();
      await Promise.all([world.alice.reaches(id, 'connecting'), world.bob.reaches(id, 'connecting')]);
      return undefined;
    },
  };
  const cases = (['alice', 'bob'] as const).flatMap((who) => (['offered', 'transferring', 'connecting'] as const).map((state) => [who, state] as const));

  test.each(cases)('by %s when it is %s', async (who, state) => {
    const started = await begin('ask');
    const { world, id } = started;
    const wire = await untilState[state](started);
    expect(await world[who].service.cancel(id)).toMatchObject({ state: 'cancelled' });
    expect(await world[who].service.cancel(id)).toMatchObject({ state: 'already_cancelled' });
    if (!wire) {
      // Survives a restart as well.
      await world[who].kill();
      await world[who].start();
      expect(world[who].service.hasUnfinishedTransfer(who === 'alice' ? world.bob.id : world.alice.id)).toBe(true);
      world.link();
    }
    await Promise.all([world.alice.reaches(id, 'cancelled'), world.bob.reaches(id, 'cancelled')]);
    await Promise.all([settled(world.alice), settled(world.bob)]);
    if (wire) expect(wire.listeners).toBe(0);
    expect(await readdir(world.bob.settings.downloadDir).catch(() => [])).toEqual([]);
    expect([world.alice.needed.size, world.bob.needed.size]).toEqual([0, 0]);
    await expect(world.bob.service.accept(id, {})).rejects.toMatchObject({ code: 'wrong_state' });
  });

  test('before the receiver ever heard of it, nobody needs to be told', async () => {
    const { world, id } = await begin();
    await world.alice.service.cancel(id);
    expect(world.alice.service.hasUnfinishedTransfer(world.bob.id)).toBe(false);
    const wire = world.link();
    const { transfers } = await world.alice.service.send({ peers: ['bob'], paths: [join(world.alice.directory, 'big')] }, never);
    await world.bob.reaches(transfers[0]?.id ?? '', 'done');
    expect(wire.seen).not.toContain('bob cancel');
  });

  test('what is over cannot be cancelled', async () => {
    const started = await begin();
    started.world.link();
    await arrives(started);
    await expect(started.world.alice.service.cancel(started.id)).rejects.toMatchObject({ code: 'wrong_state' });
  });
});

/** As if the receiver had been told that everything was sent. */
const asVerifying = async ({ alice, bob }: World): Promise<void> => {
  const row = await alice.database.get<{ content_root: Uint8Array | null }>('SELECT content_root FROM transfers');
  await bob.database.run("UPDATE transfers SET state = 'verifying', content_root = ?", row?.content_root ?? Buffer.alloc(32));
};

/** The journal may be 250 ms behind. */
const journalled = ({ alice, bob }: World, id: string, count = 20): Promise<void> =>
  vi.waitFor(
    async () => {
      const journal = await readFile(join(bob.settings.stateDir, 'transfers', 'in', alice.id, id, 'journal'));
      for (let index = 0; index < count; index += 1) expect(journal.subarray(index * 32, index * 32 + 32).some((byte) => byte !== 0)).toBe(true);
    },
    { timeout: 20_000 },
  );

/** Nothing is left to do or to say at this side. */
const settled = (peer: Peer): Promise<void> =>
  vi.waitFor(
    async () => {
      const open = await peer.database.all('SELECT id, state, untold, cleaned FROM transfers WHERE finished_at IS NULL OR untold = 1 OR cleaned = 0');
      expect(open).toEqual([]);
    },
    { timeout: 20_000 },
  );
