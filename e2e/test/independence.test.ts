import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sha256OfFile, writeRandomFile } from '../harness/files.ts';
import { World } from '../harness/world.ts';

const MiB = 1024 * 1024;

describe('links without the rendezvous', () => {
  test('killing the rendezvous disturbs neither a transfer nor chat nor new sends', async () => {
    await using world = await World.create();
    const rendezvous = await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob'], { args: ['--accept', 'auto'] });
    const big = join(alice.directory, 'big');
    await writeRandomFile(big, 256 * MiB);
    const send = alice.command(['--json', 'send', 'bob', big, '--limit-rate', '16M']);
    const { id } = await send.line((line) => line['event'] === 'progress' && Number(line['bytesDone']) > 0);
    await rendezvous.end('SIGKILL');
    expect(await alice.json('chat', 'bob', 'still there?')).toMatchObject({ state: 'delivered' });
    expect(await bob.json('chat', 'alice', 'yes')).toMatchObject({ state: 'delivered' });
    await writeFile(join(alice.directory, 'small'), 'small');
    expect((await alice.run('send', 'bob', 'small')).code).toBe(0);
    expect(await alice.json('show', String(id))).toMatchObject({ state: 'transferring' });
    expect((await send.result).code).toBe(0);
    expect(await sha256OfFile(join(bob.inboxDirectory, 'big'))).toBe(await sha256OfFile(big));
  });

  test('after-connect leave: both are off the roster while linked and back afterwards', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const carol = await world.peer('carol').start();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob'], { args: ['--after-connect', 'leave'] });
    await carol.seesPeers((seen) => seen.length === 2);
    await alice.json('connect', 'bob');
    expect(await carol.seesPeers((seen) => seen.length === 0)).toEqual([]);
    const status = await alice.json<{ rendezvous: { state: string }[]; links: unknown[] }>('status');
    expect([status.rendezvous[0]?.state, status.links.length]).toEqual(['left', 1]);
    expect(await bob.json('chat', 'alice', 'alone at last')).toMatchObject({ state: 'delivered' });
    expect(await alice.json('disconnect', 'bob')).toMatchObject({ state: 'disconnected' });
    const back = await carol.seesPeers((seen) => seen.length === 2);
    expect(back.map((peer) => peer.name).sort()).toEqual(['alice', 'bob']);
  });
});
