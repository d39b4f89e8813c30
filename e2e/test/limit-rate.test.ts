import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeRandomFile } from '../harness/files.ts';
import { type Peer, World } from '../harness/world.ts';

const MiB = 1024 * 1024;

interface Why {
  stages: { limit: number };
  bottleneck: { what: string };
  sentence: string;
}

describe('rate limits', () => {
  const explained = async (peer: Peer, args: readonly string[]): Promise<{ id: string; why: Why }> => {
    const { code, stdout } = await peer.run('--json', 'send', 'bob', 'file', ...args);
    expect(code).toBe(0);
    const { id } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { id: string };
    return { id, why: await peer.json<Why>('why', id) };
  };

  test('of one transfer, and of the daemon: it is what holds the transfer up, and `why` says so', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice] = await world.peersInOneRoom(['alice', 'bob'], { args: ['--accept', 'auto'] });
    const carol = await world.peer('carol', { args: ['--limit-rate', '1M'] }).start();
    for (const peer of [alice, carol]) {
      await peer.seesPeers((seen) => seen.length === 2);
      await writeRandomFile(join(peer.directory, 'file'), 4 * MiB);
    }
    const [limited, byDaemon] = await Promise.all([explained(alice, ['--limit-rate', '1MiB/s']), explained(carol, [])]);
    for (const { why } of [limited, byDaemon]) {
      expect(why.bottleneck.what).toBe('limit');
      expect(why.sentence).toContain('the rate limit');
    }
    expect(await alice.json('show', limited.id)).toMatchObject({ limitRate: MiB });
    expect(await carol.json('show', byDaemon.id)).not.toHaveProperty('limitRate');
    await writeFile(join(alice.directory, 'file'), 'small');
    expect((await explained(alice, [])).why.stages.limit).toBe(0);
    const refused = await alice.run('send', 'bob', 'file', '--limit-rate', 'fast');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('such as 500K, 2.5M or 1G')]);
  });

  test('a small file and a message wait for no large transfer, however slow those are', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob'], { args: ['--accept', 'auto'] });
    const [large, small] = [join(alice.directory, 'large'), join(alice.directory, 'small')];
    await writeRandomFile(large, 8 * MiB);
    await writeFile(small, 'small');
    const slow: string[] = [];
    for (let count = 0; count < 5; count += 1) slow.push((await alice.json<{ id: string }>('send', 'bob', large, '--detach', '--limit-rate', '1K')).id);
    // As many as may flow to one peer, and one more.
    for (const id of slow.slice(0, 4)) await alice.seesTransfer((transfer) => transfer.id === id && transfer.state === 'transferring');
    await alice.seesTransfer((transfer) => transfer.id === slow[4] && transfer.state === 'accepted');
    expect((await alice.run('send', 'bob', small)).code).toBe(0);
    expect(await readFile(join(bob.inboxDirectory, 'small'), 'utf8')).toBe('small');
    expect(await alice.json('chat', 'bob', 'hello')).toMatchObject({ state: 'delivered' });
    const { transfers } = await alice.json<{ transfers: { id: string; state: string }[] }>('transfers');
    expect(slow.map((id) => transfers.find((transfer) => transfer.id === id)?.state)).toEqual([...Array(4).fill('transferring'), 'accepted']);
  });
});
