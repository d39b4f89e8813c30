import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { digestOf, KeyTurns } from '../../src/transfer/send-key.ts';
import { createWorld } from './linked-services.ts';

const never = new AbortController().signal;

describe('a send with a key', () => {
  test('is the transfer of before at each peer that has it, and new at the others', async () => {
    const { alice, bob, directory } = await createWorld();
    const carol = { id: `${bob.id.startsWith('c') ? 'd' : 'c'}${bob.id.slice(1)}`, name: 'carol' };
    alice.present = [...alice.present, carol];
    const path = join(directory, 'file');
    await writeFile(path, 'x');
    const first = await alice.service.send({ peers: ['bob'], paths: [path], key: 'k' }, never);
    const both = await alice.service.send({ peers: ['carol', 'bob'], paths: [path], key: 'k' }, never);
    expect(both.transfers.map(({ peer }) => peer.name)).toEqual(['carol', 'bob']);
    expect([both.transfers[1]?.id, both.repeated]).toEqual([first.transfers[0]?.id, [first.transfers[0]?.id]]);
    expect(first.repeated).toBeUndefined();
    const other = await alice.service.send({ peers: ['bob'], paths: [path], key: 'k2' }, never);
    expect(other.repeated).toBeUndefined();
    expect(await alice.service.list()).toHaveLength(3);
    await alice.stop();
    await alice.start();
    expect((await alice.service.send({ peers: ['bob'], paths: [path], key: 'k' }, never)).repeated).toEqual([first.transfers[0]?.id]);
  });

  test('may be tried again once it was cancelled; other content under the key is refused and leaves nothing', async () => {
    const { alice, directory } = await createWorld();
    const [path, another] = [join(directory, 'file'), join(directory, 'other')];
    await Promise.all([path, another].map((file) => writeFile(file, 'x')));
    const { transfers: [first] } = await alice.service.send({ peers: ['bob'], paths: [path], key: 'k' }, never);
    await expect(alice.service.send({ peers: ['bob'], paths: [another], key: 'k' }, never)).rejects.toMatchObject({ code: 'key_reused', details: { id: first?.id } });
    await expect(alice.service.send({ peers: ['bob'], paths: [path], key: 'k', name: 'renamed' }, never)).rejects.toMatchObject({ code: 'key_reused' });
    await alice.service.cancel(first?.id ?? '');
    const { transfers: [second], repeated } = await alice.service.send({ peers: ['bob'], paths: [another], key: 'k' }, never);
    expect([second?.id === first?.id, repeated]).toEqual([false, undefined]);
  });

  test('the order of paths and patterns is no difference, and an upload goes by the path that it comes from', () => {
    const request = { peers: ['bob'], paths: ['/a', '/b'], exclude: ['x', 'y'] };
    const digest = digestOf(request);
    expect(digestOf({ ...request, peers: ['carol'], paths: ['/b', '/a'], exclude: ['y', 'x'], note: 'n' })).toBe(digest);
    expect(digestOf({ ...request, paths: ['/a'], spools: [{ id: 'i', path: '/b' }] })).toBe(digest);
    for (const other of [{ paths: ['/a'] }, { exclude: ['x'] }, { include: ['x'] }, { name: 'z' }, { paths: ['/a'], spools: [{ id: 'i' }] }]) expect(digestOf({ ...request, ...other })).not.toBe(digest);
  });

  test('one after the other with the same key, at once with others', async () => {
    const turns = new KeyTurns();
    const order: string[] = [];
    const first = Promise.withResolvers<void>();
    const run = (key: string | undefined, name: string, wait?: Promise<void>): Promise<void> => turns.take(key, async () => {
      await wait;
      order.push(name);
      if (name === 'one') throw new Error('one fails');
    });
    const one = run('k', 'one', first.promise);
    const two = run('k', 'two');
    await run('other', 'other');
    await run(undefined, 'none');
    expect(order).toEqual(['other', 'none']);
    first.resolve();
    await expect(one).rejects.toThrow('one fails');
    await two;
    expect(order).toEqual(['other', 'none', 'one', 'two']);
  });
});

describe('what was uploaded', () => {
  const upload = async (content: string, world: Awaited<ReturnType<typeof createWorld>>) => world.alice.spool.file(Readable.from([Buffer.from(content)]), { name: Buffer.from('stdin'), mode: 0o644, signal: never });

  test('is a source of every transfer of the send, and goes with the last one, whatever became of it', async () => {
    const world = await createWorld({ bob: {} });
    const { alice, bob } = world;
    alice.present = [...alice.present, { id: `${bob.id.startsWith('c') ? 'd' : 'c'}${bob.id.slice(1)}`, name: 'carol' }];
    const { id } = await upload('content', world);
    const { transfers } = await alice.service.send({ peers: ['bob', 'carol'], paths: [], spools: [{ id }], name: 'n' }, never);
    expect(transfers.map(({ entries, bytes }) => [entries, bytes])).toEqual([[1, 7], [1, 7]]);
    const spooled = (): Promise<string[]> => readdir(join(alice.settings.stateDir, 'spool'));
    await alice.service.cancel(transfers[0]?.id ?? '');
    await alice.stop();
    await alice.start();
    expect(await spooled()).toEqual([id]);
    await alice.service.cancel(transfers[1]?.id ?? '');
    await vi.waitFor(async () => expect(await spooled()).toEqual([]), { timeout: 20_000 });
    await expect(alice.service.send({ peers: ['bob'], paths: [], spools: [{ id }] }, never)).rejects.toMatchObject({ code: 'not_found' });
    await expect(alice.service.send({ peers: ['bob'], paths: [], spools: [] }, never)).rejects.toMatchObject({ code: 'source_missing' });
  });

  test.runIf(process.getuid?.() !== 0)('nothing that can be read is refused as unreadable', async () => {
    const { alice, directory } = await createWorld();
    await mkdir(join(directory, 'd'));
    await writeFile(join(directory, 'd', 'no'), 'x', { mode: 0o000 });
    await expect(alice.service.send({ peers: ['bob'], paths: [join(directory, 'd')], unreadable: 'refuse' }, never)).rejects.toMatchObject({ code: 'source_unreadable', details: { paths: [join(directory, 'd')] } });
  });
});
