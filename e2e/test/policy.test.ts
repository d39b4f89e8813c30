import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { World } from '../harness/world.ts';

interface Policy {
  policy: { kind: string; own: boolean; why?: string; grant?: { usedBytes: number } };
  warnings: string[];
}
interface Inbox {
  offers: { id: string; names: string[]; why?: string }[];
}
const errorIn = (stderr: string): { code: string; hint: string } => (JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as { error: { code: string; hint: string } }).error;

describe.concurrent('policy', () => {
  test('a grant delivers what is in its scope, and asks with a reason for everything else', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
    const into = join(bob.directory, 'pictures');
    await mkdir(into);
    for (const [name, bytes] of [['a.jpg', 600], ['b.jpg', 500], ['c.jpg', 400], ['d.jpg', 1], ['notes.txt', 10]] as const) await writeFile(join(alice.directory, name), Buffer.alloc(bytes, name));

    expect(await bob.json<Policy>('policy', 'alice')).toMatchObject({ policy: { kind: 'ask', own: false } });
    await bob.json('policy', 'alice', 'auto', '--into', into, '--max-bytes', '1000', '--match', '*.jpg', '--until', '2h');
    // It is a policy, not an act towards the peer: nobody is pinned by it.
    expect(await bob.json('contacts')).toEqual({ contacts: [] });

    expect((await alice.run('send', 'bob', 'a.jpg')).code).toBe(0);
    expect(await readdir(into)).toEqual(['a.jpg']);
    expect(await bob.json<Policy>('policy', 'alice')).toMatchObject({ policy: { kind: 'auto', own: true, grant: { usedBytes: 600 } } });

    const waits = async (name: string, why: string): Promise<string> => {
      const send = alice.command(['--json', 'send', 'bob', name]);
      const { id } = await send.line((line) => line['event'] === 'offered');
      const { offers } = await bob.json<Inbox>('inbox');
      expect(offers).toMatchObject([{ id, names: [name], why: expect.stringContaining(why) }]);
      expect((await bob.run('inbox')).stdout).toContain(why);
      await bob.json('reject', String(id));
      expect((await send.result).code).toBe(5);
      return String(id);
    };
    await waits('b.jpg', '400 of the 1000 bytes of the grant are left');
    await waits('notes.txt', 'does not match *.jpg');

    // What is used of it outlives a restart.
    await bob.end();
    await bob.start();
    await bob.seesPeers((seen) => seen.some(({ name, state }) => name === 'alice' && state !== 'offline'));
    expect((await alice.run('send', 'bob', 'c.jpg')).code).toBe(0);
    expect((await readdir(into)).toSorted()).toEqual(['a.jpg', 'c.jpg']);
    expect(await readdir(bob.inboxDirectory)).toEqual([]);

    await waits('d.jpg', 'used up');
    expect(await bob.json<Policy>('policy', 'alice')).toMatchObject({ policy: { kind: 'ask', own: true, why: expect.stringContaining('used up'), grant: { usedBytes: 1_000 } } });
    await bob.json('trust', 'alice');
    expect((await bob.run('contacts')).stdout).toMatch(/ask \(was auto\)[\s\S]*used up/);
  });

  test('what a grant reserved and did not deliver is given back', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
    await writeFile(join(alice.directory, 'gone'), Buffer.alloc(1_000));
    await bob.json('policy', 'alice', 'auto', '--max-bytes', '1000');
    await alice.json('trust', 'bob');
    // Scanned, then away: the transfer is accepted, and nothing can be read of it.
    await bob.end();
    const send = alice.command(['--json', 'send', 'bob', 'gone']);
    await send.line((line) => line['event'] === 'queued');
    await writeFile(join(alice.directory, 'gone'), 'changed');
    await bob.start();
    expect((await send.result).code).toBe(1);
    expect(await bob.json<Policy>('policy', 'alice')).toMatchObject({ policy: { kind: 'auto', grant: { usedBytes: 0 } } });
  });

  test('block: the link ends, the inbox is empty, nothing goes either way until it is lifted', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
    await writeFile(join(alice.directory, 'spam'), 'spam');
    const send = alice.command(['--json', 'send', 'bob', 'spam']);
    const { id } = await send.line((line) => line['event'] === 'offered');
    expect((await bob.json<Inbox>('inbox')).offers).toHaveLength(1);

    expect(await bob.json<Policy>('policy', 'alice', 'block')).toMatchObject({ policy: { kind: 'block', own: true }, warnings: [] });
    await alice.seesPeers((seen) => seen.some(({ name, state }) => name === 'bob' && state !== 'linked'));
    expect(await bob.json('inbox')).toMatchObject({ offers: [] });
    expect(await bob.json('status')).toMatchObject({ links: [], transfers: { inbox: 0 } });

    for (const act of [['connect', 'alice'], ['chat', 'alice', 'hi'], ['send', 'alice', 'state/identity.key'], ['trust', 'alice']]) {
      const refused = await bob.run('--json', ...act);
      expect([act[0], refused.code]).toEqual([act[0], 8]);
      expect(errorIn(refused.stderr)).toMatchObject({ code: 'blocked', hint: expect.stringContaining('peerctl policy') });
    }
    // The other side learns what every stranger would: no more than a refusal.
    const connect = await alice.run('--json', 'connect', 'bob');
    expect(errorIn(connect.stderr).code).toBe('introduction_refused');
    expect(connect.stderr).not.toContain('block');
    expect(await bob.json('inbox')).toMatchObject({ offers: [] });
    // Nobody is forgotten by being away, or by a restart.
    await alice.end();
    await bob.end();
    await bob.start();
    expect(await bob.json<Policy>('policy', 'alice')).toMatchObject({ policy: { kind: 'block' } });
    const { peers } = await bob.json<{ peers: { id: string; policy: { kind: string } }[] }>('peers');
    expect(peers).toMatchObject([{ id: alice.id, name: 'alice', state: 'offline', policy: { kind: 'block', own: true } }]);
    await bob.json('policy', 'alice', 'ask');
    await alice.start();
    await alice.seesPeers((seen) => seen.some(({ name, state }) => name === 'bob' && state !== 'offline'));
    expect((await alice.run('connect', 'bob')).code).toBe(0);
    // It was rejected then, and is told now.
    expect((await send.result).code).toBe(5);
    expect(await bob.json('show', String(id))).toMatchObject({ state: 'rejected' });
  });

  test('wrong scopes are usage errors', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [, bob] = await world.peersInOneRoom(['alice', 'bob']);
    for (const [args, text] of [
      [['ask', '--until', '2h'], 'auto'],
      [['auto', '--into', '/nonexistent/directory'], 'does not exist'],
      [['auto', '--max-bytes', 'much'], '10G'],
      [['auto', '--until', '2001-01-01'], 'over already'],
      [['auto', '--match', 'a/b'], 'top-level'],
      [['maybe'], 'ask, auto, block'],
    ] as const) {
      const { code, stderr } = await bob.run('policy', 'alice', ...args);
      expect([args, code, stderr]).toEqual([args, 2, expect.stringContaining(text)]);
    }
    expect(await bob.json<Policy>('policy', 'alice')).toMatchObject({ policy: { kind: 'ask', own: false } });
  });
});
