import { lstat, mkdir, readdir, readFile, readlink, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { diffTrees } from '../harness/files.ts';
import { type Peer, World } from '../harness/world.ts';

interface Detail {
  state: string;
  kept?: number;
  files: { path: string; state: string; error?: { code: string } }[];
  error?: { code: string; message: string };
}

const text = (...parts: readonly string[]): Promise<string> => readFile(join(...parts), 'utf8');

/** A tree to send, and at the receiver one of the same name that is in its way, with links that lead out of it. */
const prepare = async (alice: Peer, bob: Peer): Promise<{ outside: string }> => {
  const tree = join(alice.directory, 'tree');
  for (const path of ['both', 'clash', 'through']) await mkdir(join(tree, path), { recursive: true });
  for (const path of ['both/fresh', 'both/taken', 'clash/file', 'through/file', 'linked', 'occupied']) await writeFile(join(tree, path), `new ${path}`);
  await utimes(tree, 1_600_000_000, 1_600_000_000);
  const outside = join(bob.directory, 'outside');
  await mkdir(outside);
  await writeFile(join(outside, 'file'), 'outside');
  const there = join(bob.inboxDirectory, 'tree');
  await mkdir(join(there, 'both'), { recursive: true });
  await mkdir(join(there, 'occupied'));
  for (const path of ['both/taken', 'both/stays', 'clash', 'occupied/inside']) await writeFile(join(there, path), `old ${path}`);
  await symlink(join(outside, 'file'), join(there, 'linked'));
  await symlink(outside, join(there, 'through'));
  return { outside };
};

const states = (detail: Detail): Record<string, string> => Object.fromEntries(detail.files.map(({ path, state, error }) => [path, error?.code ?? state]));

describe.concurrent('conflict policies that go into what is there', () => {
  test.each(['overwrite', 'skip'] as const)('%s: kinds that clash fail, the rest is delivered, and no link is followed', async (policy) => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
    const { outside } = await prepare(alice, bob);
    const send = alice.command(['--json', 'send', 'bob', 'tree', '--conflict', policy]);
    const { id } = await send.line((line) => line['event'] === 'offered');
    await bob.json('accept', String(id));
    expect((await send.result).code).toBe(1);
    expect(send.lines.at(-1)).toMatchObject({ event: 'failed', error: { code: 'partial' } });

    const there = join(bob.inboxDirectory, 'tree');
    expect(await text(there, 'both/fresh')).toBe('new both/fresh');
    expect(await text(there, 'both/stays')).toBe('old both/stays');
    expect(await text(there, 'both/taken')).toBe(policy === 'overwrite' ? 'new both/taken' : 'old both/taken');
    expect(await text(there, 'clash')).toBe('old clash');
    expect(await readdir(join(there, 'occupied'))).toEqual(['inside']);
    expect(await readlink(join(there, 'through'))).toBe(outside);
    if (policy === 'overwrite') expect(await text(there, 'linked')).toBe('new linked');
    else expect(await readlink(join(there, 'linked'))).toBe(join(outside, 'file'));
    expect([await readdir(outside), await text(outside, 'file')]).toEqual([['file'], 'outside']);
    expect(await readdir(bob.inboxDirectory)).toEqual(['tree']);
    const [detail, atSender] = [await bob.json<Detail>('show', String(id)), await alice.json<Detail>('show', String(id))];
    const stays = policy === 'overwrite' ? 'done' : 'skipped';
    expect(states(detail)).toEqual({
      tree: 'done', 'tree/both': 'done', 'tree/both/fresh': 'done', 'tree/both/taken': stays, 'tree/clash': 'type_conflict', 'tree/clash/file': 'type_conflict', 'tree/linked': stays,
      'tree/occupied': 'type_conflict', 'tree/through': 'type_conflict', 'tree/through/file': 'type_conflict',
    });
    expect([detail.kept, atSender.kept]).toEqual(policy === 'skip' ? [2, 2] : [undefined, undefined]);
  });

  test('sent again with overwrite: it looks as at the sender; with skip: nothing changes, and it is done', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob'], { args: ['--accept', 'auto'] });
    await alice.json('trust', 'bob');
    await bob.json('trust', 'alice');
    await mkdir(join(alice.directory, 'tree', 'sub'), { recursive: true });
    for (const path of ['tree/a', 'tree/sub/b', 'single']) await writeFile(join(alice.directory, path), 'first');
    const args = ['--json', 'send', 'bob', 'tree', 'single', '--conflict'];
    expect((await alice.run(...args, 'overwrite')).code).toBe(0);
    for (const path of ['tree/a', 'tree/sub/b', 'single']) await writeFile(join(alice.directory, path), 'second');
    await utimes(join(alice.directory, 'tree'), 1_500_000_000, 1_500_000_000);

    const skip = alice.command([...args, 'skip']);
    expect((await skip.result).code).toBe(0);
    expect(skip.lines.at(-1)).toMatchObject({ event: 'done', kept: 3, savedAs: ['tree'] });
    expect([await text(bob.inboxDirectory, 'tree/a'), await text(bob.inboxDirectory, 'single')]).toEqual(['first', 'first']);

    const overwrite = alice.command([...args, 'overwrite']);
    expect((await overwrite.result).code).toBe(0);
    expect(overwrite.lines.at(-1)).toMatchObject({ event: 'done', savedAs: ['single', 'tree'] });
    for (const path of ['tree/a', 'tree/sub/b', 'single']) expect(await text(bob.inboxDirectory, path)).toBe('second');
    expect((await lstat(join(bob.inboxDirectory, 'tree'))).mtimeMs).toBe(1_500_000_000_000);
    expect((await readdir(bob.inboxDirectory)).sort()).toEqual(['single', 'tree']);
    const person = await alice.run('send', 'bob', 'single', '--conflict', 'skip');
    expect(person.stdout).toContain('1 skipped');
  });

  test('a receiver that is killed while it merges goes on after its restart: the tree is that of the sender', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
    const [tree, there] = [join(alice.directory, 'tree'), join(bob.inboxDirectory, 'tree')];
    for (let directory = 0; directory < 20; directory += 1) {
      for (const root of [tree, there]) await mkdir(join(root, `${directory}`), { recursive: true });
      for (let file = 0; file < 100; file += 1) {
        await writeFile(join(tree, `${directory}`, `${file}`), `new ${directory} ${file}`);
        if (file % 2 === 0) await writeFile(join(there, `${directory}`, `${file}`), 'old');
      }
    }
    const send = alice.command(['--json', 'send', 'bob', 'tree', '--conflict', 'overwrite']);
    const { id } = await send.line((line) => line['event'] === 'offered');
    await bob.json('accept', String(id));
    // Whether it is just before, within or behind the merge: the end is the same.
    await send.line((line) => line['state'] === 'verifying' || line['event'] === 'done');
    await bob.end('SIGKILL');
    await bob.start();
    expect((await send.result).code).toBe(0);
    expect(await diffTrees(tree, there)).toBe('');
    expect(await readdir(bob.inboxDirectory)).toEqual(['tree']);
    expect(await bob.json('show', String(id))).toMatchObject({ state: 'done', receipt: { verified: true } });
  });

  test('a policy takes no overwrite of a stranger: a person decides', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob'], { args: ['--accept', 'auto'] });
    await writeFile(join(alice.directory, 'a.txt'), 'new');
    await writeFile(join(bob.inboxDirectory, 'a.txt'), 'old');
    const send = alice.command(['--json', 'send', 'bob', 'a.txt', '--conflict', 'overwrite']);
    const { id } = await send.line((line) => line['event'] === 'offered');
    expect(await bob.json('inbox')).toMatchObject({ offers: [{ id }] });
    await bob.json('accept', String(id));
    expect((await send.result).code).toBe(0);
    expect(await text(bob.inboxDirectory, 'a.txt')).toBe('new');
  });
});
