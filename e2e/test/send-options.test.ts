import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { diffTrees } from '../harness/files.ts';
import { type Peer, World } from '../harness/world.ts';

const pair = async (world: World, ...args: string[]): Promise<readonly [Peer, Peer]> => {
  await world.rendezvous();
  return world.peersInOneRoom(['alice', 'bob'], { args });
};

const events = (stdout: string): Record<string, unknown>[] => stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);

describe.concurrent('options of send', () => {
  test('--id: what is repeated arrives once, and ends like the first; what was rejected is tried again', async () => {
    await using world = await World.create();
    const [alice, bob] = await pair(world);
    const file = join(alice.directory, 'dump');
    await writeFile(file, 'content');
    const first = alice.command(['--json', 'send', 'bob', file, '--id', 'nightly']);
    const { id } = await first.line((line) => line['event'] === 'offered');
    const second = alice.command(['--json', 'send', 'bob', file, '--id', 'nightly']);
    expect(await second.line((line) => line['event'] === 'queued')).toMatchObject({ id, repeated: true, state: 'offered' });
    await bob.json('reject', String(id), '--reason', 'not now');
    expect([(await first.result).code, (await second.result).code]).toEqual([5, 5]);
    const again = alice.command(['--json', 'send', 'bob', file, '--id', 'nightly']);
    const { id: newId } = await again.line((line) => line['event'] === 'offered');
    expect(newId).not.toBe(id);
    await bob.json('accept', String(newId));
    expect((await again.result).code).toBe(0);
    const late = await alice.run('--json', 'send', 'bob', file, '--id', 'nightly');
    expect([late.code, ...events(late.stdout).map(({ event, savedAs }) => [event, savedAs])]).toEqual([0, ['queued', undefined], ['done', ['dump']]]);
    expect(await readdir(bob.inboxDirectory)).toEqual(['dump']);
    await writeFile(join(alice.directory, 'other'), 'x');
    const other = await alice.run('--json', 'send', 'bob', join(alice.directory, 'other'), '--id', 'nightly');
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('key_reused')]);
  });

  test('--id: twice at once is one transfer', async () => {
    await using world = await World.create();
    const [alice, bob] = await pair(world, '--accept', 'auto');
    await writeFile(join(alice.directory, 'file'), 'content');
    const runs = await Promise.all([1, 2, 3].map(() => alice.run('--json', 'send', 'bob', join(alice.directory, 'file'), '--id', 'once')));
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(new Set(runs.flatMap(({ stdout }) => events(stdout).map(({ id }) => id))).size).toBe(1);
    expect(await readdir(bob.inboxDirectory)).toEqual(['file']);
  });

  test('--priority: what is high starts before what has waited for longer', async () => {
    await using world = await World.create();
    const [alice, bob] = await pair(world, '--accept', 'auto');
    const file = join(alice.directory, 'file');
    await writeFile(file, Buffer.alloc(8 * 1024 * 1024, 1));
    const send = async (...args: string[]): Promise<string> => (await alice.json<{ id: string }>('send', 'bob', file, '--detach', ...args)).id;
    // As many as flow to one peer at once, and long enough.
    const running = [];
    for (let count = 0; count < 4; count += 1) running.push(await send('--limit-rate', '1K'));
    for (const id of running) await alice.seesTransfer((transfer) => transfer.id === id && transfer.state === 'transferring');
    const low = await send('--priority', 'low');
    await alice.seesTransfer((transfer) => transfer.id === low && transfer.state === 'accepted');
    const high = await send('--priority', 'high');
    await alice.seesTransfer((transfer) => transfer.id === high && transfer.state === 'accepted');
    await bob.json('cancel', running[0] ?? '');
    await alice.seesTransfer((transfer) => transfer.id === high && transfer.state === 'done');
    const [first, second] = await Promise.all([high, low].map((id) => alice.json<{ decidedAt?: number; updatedAt: number; priority?: string }>('show', id)));
    expect([first?.priority, second?.priority]).toEqual(['high', 'low']);
    await alice.seesTransfer((transfer) => transfer.id === low && transfer.state === 'done');
    const { transfers } = await alice.json<{ transfers: { id: string }[] }>('history', '--state', 'done');
    expect(transfers.map(({ id }) => id)).toEqual([low, high]);
  });

  test('--name is the name at the receiver, --exclude and --include choose what is in it', async () => {
    await using world = await World.create();
    const [alice, bob] = await pair(world, '--accept', 'auto');
    const tree = join(alice.directory, 'project');
    await mkdir(join(tree, 'node_modules/x'), { recursive: true });
    await mkdir(join(tree, 'src/deep'), { recursive: true });
    for (const path of ['node_modules/x/index.js', 'src/a.ts', 'src/deep/b.ts', 'src/a.log', 'README.md']) await writeFile(join(tree, path), path);
    const sent = await alice.run('--json', 'send', 'bob', tree, '--name', 'renamed', '--exclude', 'node_modules/', '--exclude', '*.log');
    expect([sent.code, events(sent.stdout)[0], events(sent.stdout).at(-1)?.['savedAs']]).toEqual([0, expect.objectContaining({ event: 'queued', entries: 6, leftOut: 2 }), ['renamed']]);
    expect(await diffTrees(tree, join(bob.inboxDirectory, 'renamed'))).toMatch(/^Only in .*project: node_modules\nOnly in .*project\/src: a.log\n$/);
    const only = await alice.run('send', 'bob', tree, '--include', 'src/deep/**');
    expect([only.code, only.stderr]).toEqual([0, '4 entries left out by --exclude and --include\n']);
    expect(await readdir(join(bob.inboxDirectory, 'project'), { recursive: true })).toEqual(['src', 'src/deep', 'src/deep/b.ts']);
    expect(await readFile(join(bob.inboxDirectory, 'project/src/deep/b.ts'), 'utf8')).toBe('src/deep/b.ts');
    const two = await alice.run('send', 'bob', tree, join(tree, 'src'), '--name', 'x');
    expect([two.code, two.stderr]).toEqual([2, expect.stringContaining('--name is for a single path')]);
    const bad = await alice.run('send', 'bob', tree, '--name', 'a/b');
    expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('a path component with `/`')]);
  });
});
