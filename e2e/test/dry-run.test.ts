import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Peer, World } from '../harness/world.ts';

interface DryRun {
  entries: number;
  bytes: number;
  files: { path: string; type: string; bytes: number }[];
  skipped: { path: string; code: string }[];
  peers: { peer: { name: string }; answer: string; diff?: { new: number; same: number; conflict: number }; conflicts?: string[]; fits?: boolean }[];
}

const write = async (path: string, text: string): Promise<void> => {
  await writeFile(path, text);
  await utimes(path, 1_600_000_000, 1_600_000_000);
};

const makeTree = async (directory: string, names: readonly string[]): Promise<void> => {
  await mkdir(join(directory, 'tree'), { recursive: true });
  for (const name of names) await write(join(directory, 'tree', name), name);
};

const expectNothingSent = async (...peers: readonly Peer[]): Promise<void> => {
  for (const peer of peers) {
    expect(await peer.json('transfers')).toEqual({ transfers: [] });
    expect(await peer.json('contacts')).toMatchObject({ contacts: [] });
    expect(await readdir(join(peer.directory, 'state', 'transfers', 'questions')).catch(() => [])).toEqual([]);
  }
};

describe.concurrent('send --dry-run', () => {
  test('says what would be sent and what the receivers have of it; nothing is queued, offered or pinned', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const alice = await world.peer('alice').start();
    const bob = await world.peer('bob', { args: ['--accept', 'auto'] }).start();
    const carol = await world.peer('carol').start();
    await alice.seesPeers((seen) => seen.length === 2);
    await makeTree(alice.directory, ['changed', 'new', 'same']);
    await makeTree(bob.inboxDirectory, ['same']);
    await makeTree(carol.inboxDirectory, ['same']);
    await write(join(bob.inboxDirectory, 'tree', 'changed'), 'another one');

    const document = await alice.json<DryRun>('send', 'bob,carol', 'tree', '--dry-run');
    expect(document).toMatchObject({ entries: 4, bytes: 14, skipped: [], files: [{ path: 'tree', type: 'directory' }, { path: 'tree/changed' }, { path: 'tree/new' }, { path: 'tree/same', bytes: 4 }] });
    expect(document.peers).toMatchObject([
      { peer: { name: 'bob' }, answer: 'compared', diff: { new: 1, same: 2, conflict: 1 }, conflicts: ['tree/changed'], fits: true },
      { peer: { name: 'carol' }, answer: 'asks' },
    ]);
    expect(document.peers[1]?.diff).toBeUndefined();

    const { code, stdout, stderr } = await alice.run('send', 'bob,carol', 'tree', '--dry-run', '--conflict', 'skip');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('would send 4 entries, 14 B; nothing is sent now');
    expect(stdout).toContain('bob: 1 new, 2 same, 1 in conflict (what exists stays, the new one is left out)\n  in conflict: tree/changed\n');
    expect(stdout).toContain('carol: a person decides there, so what is there is not told');

    await expectNothingSent(alice, bob, carol);
    expect(await carol.json('inbox')).toMatchObject({ offers: [] });
    expect((await readdir(join(bob.inboxDirectory, 'tree'))).sort()).toEqual(['changed', 'same']);
    expect((await alice.run('send', 'bob', 'tree', '--dry-run', '--detach')).code).toBe(2);
    expect((await alice.run('send', 'dave', 'tree', '--dry-run')).code).toBe(4);
  });

  test('a contact that is away: the local half', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
    await alice.json('trust', 'bob');
    await bob.end();
    await alice.seesPeers((seen) => seen.every(({ state }) => state === 'offline'));
    await makeTree(alice.directory, ['x']);
    expect(await alice.json<DryRun>('send', 'bob', 'tree', '--dry-run')).toMatchObject({ entries: 2, peers: [{ answer: 'away' }] });
    expect((await alice.run('send', 'bob', 'tree', '--dry-run')).stdout).toContain('bob: away; what is there is not known');
    expect(await alice.json('transfers')).toEqual({ transfers: [] });
  });
});
