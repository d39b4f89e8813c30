import { randomBytes } from 'node:crypto';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DryRunResponse, SendRequest } from '@peerd/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createWorld, type Peer, type World } from './linked-services.ts';

const { signal } = new AbortController();

const ask = (world: World, more: Partial<SendRequest> = {}): Promise<DryRunResponse> =>
  world.alice.service.dryRun({ peers: ['bob'], paths: [join(world.alice.directory, 'tree')], ...more }, signal);

const write = async (path: string, text: string): Promise<void> => {
  await writeFile(path, text);
  await utimes(path, 1_600_000_000, 1_600_000_000);
};

const makeTree = async (directory: string, names: readonly string[]): Promise<void> => {
  await mkdir(join(directory, 'tree'), { recursive: true });
  for (const name of names) await write(join(directory, 'tree', name), name);
};

/** Nothing of a question is left at either side. */
const expectNothing = async (...peers: readonly Peer[]): Promise<void> => {
  for (const peer of peers) {
    await expect.poll(() => readdir(join(peer.settings.stateDir, 'transfers', 'questions')).catch(() => [])).toEqual([]);
    expect(await peer.service.list()).toEqual([]);
    expect(peer.contacts.all()).toEqual([]);
    expect(peer.needed.size).toBe(0);
  }
};

describe('dry run', () => {
  test('a receiver that would take it without asking tells what is there; nothing is kept', async () => {
    const world = await createWorld({ bob: { accept: 'auto' } });
    await makeTree(world.alice.directory, ['changed', 'new', 'same']);
    await makeTree(world.bob.settings.downloadDir, ['same']);
    await write(join(world.bob.settings.downloadDir, 'tree', 'changed'), 'another one');
    world.link();
    const response = await ask(world);
    expect(response).toMatchObject({ entries: 4, bytes: 14, skipped: [], files: [{ path: 'tree', type: 'directory' }, { path: 'tree/changed', bytes: 7 }, { path: 'tree/new' }, { path: 'tree/same' }] });
    expect(response.peers).toMatchObject([
      { peer: { id: world.bob.id, name: 'bob' }, answer: 'compared', diff: { new: 1, same: 2, conflict: 1, counted: true }, same: ['tree', 'tree/same'], conflicts: ['tree/changed'], fits: true },
    ]);
    expect((await readdir(join(world.bob.settings.downloadDir, 'tree'))).sort()).toEqual(['changed', 'same']);
    expect(await world.bob.service.inbox()).toEqual([]);
    await expectNothing(world.alice, world.bob);
  });

  test('a receiver that asks a person tells nothing, and takes no manifest', async () => {
    const world = await createWorld();
    await makeTree(world.alice.directory, ['secret']);
    await makeTree(world.bob.settings.downloadDir, ['secret']);
    const wire = world.link();
    expect((await ask(world)).peers).toEqual([{ peer: { id: world.bob.id, name: 'bob' }, answer: 'asks' }]);
    expect(wire.seen.filter((seen) => !seen.includes('progress'))).toEqual(['bob compare', 'alice compared']);
    await expectNothing(world.alice, world.bob);
  });

  test('a policy goes by names and by the conflict policy as it would for an offer', async () => {
    const world = await createWorld({ bob: { accept: 'auto' } });
    await makeTree(world.alice.directory, ['x']);
    world.link();
    // Of a stranger.
    expect((await ask(world, { conflict: 'overwrite' })).peers[0]?.answer).toBe('asks');
    await world.bob.contacts.pin({ id: world.alice.id, name: 'alice' });
    expect((await ask(world, { conflict: 'overwrite' })).peers[0]?.answer).toBe('compared');
    const grant = { into: world.bob.directory, maxBytes: undefined, until: undefined };
    await world.bob.policies.set({ id: world.alice.id, name: 'alice' }, 'auto', { ...grant, match: '*.txt' });
    expect((await ask(world)).peers[0]?.answer).toBe('asks');
    await world.bob.policies.set({ id: world.alice.id, name: 'alice' }, 'auto', { ...grant, match: 'tr*' });
    await makeTree(world.bob.directory, ['x']);
    expect((await ask(world)).peers).toMatchObject([{ answer: 'compared', diff: { new: 0, same: 2, conflict: 0 } }]);
    await world.bob.policies.set({ id: world.alice.id, name: 'alice' }, 'auto', { ...grant, match: undefined, maxBytes: 0 });
    expect((await ask(world)).peers[0]?.answer).toBe('asks');
  });

  test('without a link the local half is told; a wrong name or path is an error', async () => {
    const world = await createWorld({ bob: { accept: 'auto' } });
    await makeTree(world.alice.directory, ['x']);
    expect(await ask(world)).toMatchObject({ entries: 2, peers: [{ answer: 'away' }] });
    await expect(ask(world, { peers: ['carol'] })).rejects.toMatchObject({ code: 'no_such_peer' });
    await expect(ask(world, { paths: [join(world.alice.directory, 'absent')] })).rejects.toMatchObject({ code: 'source_missing' });
    await expectNothing(world.alice, world.bob);
  });

  test('a link that ends meanwhile, and a receiver that goes away', async () => {
    const world = await createWorld({ bob: { accept: 'auto' } });
    await makeTree(world.alice.directory, ['x']);
    const wire = world.link();
    wire.onMessage = (_to, message) => {
      if (message.kind === 'manifest-page') wire.cut();
      return message;
    };
    expect((await ask(world)).peers).toMatchObject([{ answer: 'away' }]);
    await expectNothing(world.alice, world.bob);
    // A new link can ask again.
    world.link();
    expect((await ask(world)).peers).toMatchObject([{ answer: 'compared' }]);
  });

  test('a manifest that is not the announced one is not compared', async () => {
    const world = await createWorld({ bob: { accept: 'auto' } });
    await makeTree(world.alice.directory, ['x']);
    const wire = world.link();
    wire.onMessage = (_to, message) => (message.kind === 'manifest-page' ? { ...message, body: { ...message.body, page: randomBytes(100) } } : message);
    expect((await ask(world)).peers).toMatchObject([{ answer: 'unable' }]);
    wire.onMessage = (_to, message) => (message.kind === 'compared' && message.body.result ? { ...message, body: { ...message.body, result: { ...message.body.result, sameEntries: [99] } } } : message);
    expect((await ask(world)).peers).toMatchObject([{ answer: 'unable', message: 'compared: there are not so many entries' }]);
    await expectNothing(world.alice, world.bob);
  });

  test('questions at the same time, and a send beside them', async () => {
    const world = await createWorld({ bob: { accept: 'auto' } });
    await makeTree(world.alice.directory, ['x']);
    world.link();
    const [first, second] = await Promise.all([ask(world), ask(world), world.alice.service.send({ peers: ['bob'], paths: [join(world.alice.directory, 'tree')] }, signal)]);
    // One of each peer at a time: the later one takes its place.
    expect([first, second].map(({ peers }) => peers[0]?.answer)).toContain('compared');
    const { transfers } = { transfers: await world.alice.service.list() };
    await world.alice.reaches(transfers[0]?.id ?? '', 'done');
  });

  test('any messages about questions, in any order: the services live on and keep nothing', async () => {
    const world = await createWorld({ bob: { accept: 'auto' } });
    const wire = world.link();
    const link = wire.link(world.bob);
    const transfer = fc.constantFrom('01jd0000000000000000000001', '01jd0000000000000000000002');
    const message = fc.oneof(
      fc.record({
        kind: fc.constant('compare' as const),
        body: fc.record({
          transfer, entries: fc.constantFrom(1, 1_000_000), bytes: fc.nat(), pages: fc.constantFrom(1, 2), manifestBytes: fc.constantFrom(1, 100, 2 ** 40), offerRoot: fc.constant(Buffer.alloc(32)),
          chunkSize: fc.constant(65_536), conflict: fc.constantFrom('rename', 'overwrite', 'strange'),
        }),
      }),
      fc.record({ kind: fc.constant('compared' as const), body: fc.record({ transfer }) }),
      fc.record({ kind: fc.constant('manifest-page' as const), body: fc.record({ transfer, index: fc.nat(2), page: fc.constant(randomBytes(20)) }) }),
      fc.record({ kind: fc.constant('manifest-request' as const), body: fc.record({ transfer, fromPage: fc.nat(2) }) }),
      fc.record({ kind: fc.constant('cancel' as const), body: fc.record({ transfer, message: fc.constantFrom('', 'unknown transfer') }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 8 }), async (messages) => {
        for (const one of messages) await world.bob.service.message(link, one);
      }),
      { numRuns: 60 },
    );
    wire.cut();
    await expectNothing(world.alice, world.bob);
  });
});
