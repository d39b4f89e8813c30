import { mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Peer, World } from '../harness/world.ts';

interface Diff {
  new: number;
  same: number;
  conflict: number;
  risky: number;
  counted: boolean;
}
interface Space {
  needed: number;
  free: number;
  fits: boolean;
}
interface Inbox {
  offers: { id: string; trust: string; conflict: string; conflicts: number; diff: Diff; risks: { path: string; reasons: string[] }[]; space: Space }[];
}
interface Detail {
  offer?: { trust: string; destination: string; diff: Diff; space: Space };
  files: { path: string; diff?: string; risky?: string[] }[];
}

const then = 1_600_000_000;

const write = async (path: string, text: string): Promise<void> => {
  await writeFile(path, text);
  await utimes(path, then, then);
};

/** Something new, something equal, something that is in the way, something to look at. */
const prepare = async (alice: Peer, bob: Peer): Promise<void> => {
  await mkdir(join(alice.directory, 'photos'));
  for (const name of ['changed', 'new', 'same']) await write(join(alice.directory, 'photos', name), name);
  await write(join(alice.directory, '.bashrc'), 'echo hi');
  await write(join(alice.directory, 'photos', 'run.sh'), '#!/bin/sh');
  await utimes(join(alice.directory, 'photos'), then, then);
  await mkdir(join(bob.inboxDirectory, 'photos'));
  await write(join(bob.inboxDirectory, 'photos', 'same'), 'same');
  await write(join(bob.inboxDirectory, 'photos', 'changed'), 'another one');
};

const offerFrom = async (alice: Peer, ...more: string[]): Promise<{ id: string; end: () => Promise<unknown> }> => {
  const send = alice.command(['--json', 'send', 'bob', 'photos', '.bashrc', ...more]);
  const { id } = await send.line((line) => line['event'] === 'offered');
  return { id: String(id), end: () => send.result };
};

describe.concurrent('consent that informs', () => {
  test('inbox and show say what an offer would mean, and another directory is compared on request', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
    await prepare(alice, bob);
    const { id, end } = await offerFrom(alice, '--conflict', 'overwrite');
    const { offers } = await bob.json<Inbox>('inbox');
    expect(offers).toMatchObject([
      {
        id, trust: 'new', conflict: 'overwrite', conflicts: 1, diff: { new: 3, same: 2, conflict: 1, risky: 1, counted: true }, risks: [{ path: '.bashrc', reasons: ['hidden'] }],
        space: { needed: 30, fits: true },
      },
    ]);
    expect(offers[0]?.space.free).toBeGreaterThan(0);
    const { stdout } = await bob.run('inbox');
    expect(stdout).toMatch(/alice~\w{4} \(new\) offers 6 entries, 30 B/);
    expect(stdout).toContain('3 new, 2 same, 1 in conflict (what exists is replaced)');
    expect(stdout).toContain('⚠ 1 risky: .bashrc (hidden)');
    expect(stdout).toMatch(/needs 30 B of [\d.]+ \w+ free/);

    const detail = await bob.json<Detail>('show', id);
    expect(Object.fromEntries(detail.files.map(({ path, diff, risky }) => [path, [diff, risky]]))).toEqual({
      '.bashrc': ['new', ['hidden']], photos: ['same', undefined], 'photos/changed': ['conflict', undefined], 'photos/new': ['new', undefined], 'photos/run.sh': ['new', undefined], 'photos/same': ['same', undefined],
    });
    await mkdir(join(bob.directory, 'empty'));
    const elsewhere = await bob.json<Detail>('show', id, '--to', 'empty');
    expect(elsewhere.offer).toMatchObject({ destination: join(bob.directory, 'empty'), diff: { new: 6, same: 0, conflict: 0, counted: true } });
    const page = await bob.json<Detail>('show', id, '--offset', '2', '--limit', '1');
    expect(page.files).toMatchObject([{ path: 'photos/changed', diff: 'conflict' }]);
    expect((await bob.run('show', id)).stdout).toMatch(/^photos\/changed +7 B +conflict$/m);
    expect((await bob.run('show', id, '--to', 'nowhere')).code).toBe(2);
    // Looking changes nothing.
    expect((await readdir(bob.inboxDirectory)).sort()).toEqual(['photos']);
    expect((await readdir(join(bob.inboxDirectory, 'photos'))).sort()).toEqual(['changed', 'same']);

    await bob.json('accept', id);
    await end();
    const done = await bob.json<Detail>('show', id);
    expect([done.offer, done.files[0]?.diff]).toEqual([undefined, undefined]);
    expect(await readFile(join(bob.inboxDirectory, 'photos', 'changed'), 'utf8')).toBe('changed');
    expect((await bob.run('show', id, '--to', 'empty')).code).toBe(1);
  });

  test('a download directory that is a link elsewhere, or is not there, is only looked at', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
    await prepare(alice, bob);
    await mkdir(join(bob.directory, 'secret'));
    await write(join(bob.directory, 'secret', 'same'), 'same');
    await mkdir(join(bob.directory, 'linked'));
    await symlink('../secret', join(bob.directory, 'linked', 'photos'));
    const { id } = await offerFrom(alice);
    const detail = await bob.json<Detail>('show', id, '--to', 'linked');
    expect(Object.fromEntries(detail.files.map(({ path, diff }) => [path, diff]))).toMatchObject({ photos: 'conflict', 'photos/same': 'new' });
    await bob.json('reject', id);
    expect(await bob.json<Inbox>('inbox')).toMatchObject({ offers: [] });
  });
});
