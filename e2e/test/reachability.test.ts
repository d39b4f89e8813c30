import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sha256OfFile, writeRandomFile } from '../harness/files.ts';
import { namespacesUnavailable, twoHosts } from '../harness/namespaces.ts';
import { World } from '../harness/world.ts';

const unavailable = await namespacesUnavailable();
if (unavailable !== undefined) console.warn(`skipped: reachability: ${unavailable}`);

/**
 * The peer that can't be reached listens on the loopback address of its own host: it can dial, and nobody can dial it.
 */
describe.skipIf(unavailable !== undefined)('one direction blocked', () => {
  test.each([
    ['only alice can reach bob', 'bob'],
    ['only bob can reach alice', 'alice'],
  ] as const)('%s: the link comes up and files travel both ways', async (_what, reachable) => {
    const [left, right] = await twoHosts();
    await using _left = left;
    await using _right = right;
    await using world = await World.create();
    await world.rendezvous({ listen: `${left.address}:12000`, prefix: left.prefix });
    const place = (name: 'alice' | 'bob', host: typeof left) =>
      world.peer(name, { prefix: host.prefix, listen: `${name === reachable ? host.address : '127.0.0.1'}:0`, args: ['--accept', 'auto'] }).start();
    const [alice, bob] = await Promise.all([place('alice', left), place('bob', right)]);
    await alice.seesPeers((seen) => seen.length === 1);
    await bob.seesPeers((seen) => seen.length === 1);

    await writeRandomFile(join(alice.directory, 'from-alice'), 20_000_000);
    await writeFile(join(bob.directory, 'from-bob'), 'hello');
    const sent = await alice.run('--json', 'send', 'bob', 'from-alice');
    expect([sent.code, sent.stderr]).toEqual([0, '']);
    expect((await bob.run('send', 'alice', 'from-bob')).code).toBe(0);
    expect(await sha256OfFile(join(bob.inboxDirectory, 'from-alice'))).toBe(await sha256OfFile(join(alice.directory, 'from-alice')));
    const status = await alice.json<{ links: { dialled: boolean }[] }>('status');
    expect(status.links).toMatchObject([{ dialled: reachable === 'bob' }]);
    await bob.json('disconnect', 'alice');
    // The other one asks first.
    expect((await bob.run('connect', 'alice')).code).toBe(0);
  });
});
