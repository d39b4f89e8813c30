import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Hello, peerAlpn, peerIdSchema } from '@peerd/protocol';
import { dial, greet, loadIdentity } from '@peerd/service';
import { describe, expect, test } from 'vitest';
import { startLyingRendezvous } from '../harness/lying-rendezvous.ts';
import { World } from '../harness/world.ts';

const never = new AbortController().signal;
const helloOf = (name: string): Hello => ({ versions: [1], role: 'link', nonce: Buffer.alloc(16, 7), name, agent: 'test/1' });
const address = (text: string | undefined): { host: string; port: number } => {
  const [host = '', port = ''] = (text ?? '').split(':');
  return { host, port: Number(port) };
};

describe.concurrent('trust', () => {
  test('the name of an absent contact on another key is refused with exit 8, and told loudly', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
    await writeFile(join(alice.directory, 'secret'), 'for bob only');
    expect(await alice.json('trust', 'bob')).toMatchObject({ state: 'pinned', contact: { id: bob.id, name: 'bob', trust: 'pinned' } });
    expect(await alice.json('trust', 'bob')).toMatchObject({ state: 'already_pinned' });

    const impostor = await world.peer('impostor', { name: 'bob', args: ['--accept', 'auto'] }).start();
    await alice.seesPeers((seen) => seen.some(({ id }) => id === impostor.id));
    // While the contact is there it is used, with a warning.
    const send = alice.command(['send', 'bob', 'secret', '--detach']);
    const warned = await send.result;
    expect([warned.code, warned.stdout + warned.stderr]).toEqual([0, expect.stringContaining('another')]);
    const { transfers } = await alice.json<{ transfers: { peer: { id: string } }[] }>('transfers');
    expect(transfers.map(({ peer }) => peer.id)).toEqual([bob.id]);
    const { peers } = await alice.json<{ peers: { id: string; trust: string }[] }>('peers');
    expect(new Map(peers.map(({ id, trust }) => [id, trust]))).toEqual(new Map([[bob.id, 'pinned'], [impostor.id, 'changed']]));

    await bob.end();
    await alice.seesPeers((seen) => seen.some(({ id, state }) => id === bob.id && state === 'offline'));
    const refused = await alice.run('--json', 'send', 'bob', 'secret');
    expect(refused.code).toBe(8);
    const { error } = JSON.parse(refused.stderr.trim().split('\n').at(-1) ?? '') as { error: { code: string; hint: string } };
    expect(error.code).toBe('trust_changed');
    expect(error.hint).not.toBe('');
    expect(await readdir(impostor.inboxDirectory)).toEqual([]);
    // Named exactly, the other one is another peer.
    expect((await alice.run('connect', `bob~${impostor.id.slice(0, 8)}`)).code).toBe(0);
  });

  test('a rendezvous that introduces another key gets no link up', async () => {
    await using world = await World.create();
    const liar = await loadIdentity(join(world.directory, 'liar'));
    const bob = await world.peer('bob').start();
    const status = await bob.json<{ listen: string[] }>('status');
    const claimed = peerIdSchema.parse('a'.repeat(52));
    const rendezvous = await startLyingRendezvous(liar, () => ({ id: claimed, name: 'bob', addresses: [{ ...address(status.listen[0]), kind: 'host' }], epoch: 1 }));
    const alice = await world.peer('alice', { rendezvous: rendezvous.address }).start();
    await alice.seesPeers((seen) => seen.some(({ id }) => id === claimed));
    const refused = await alice.run('--json', 'connect', 'bob');
    expect(refused.code).toBe(8);
    expect(refused.stderr).toContain('wrong_key');
    expect(await alice.json('status')).toMatchObject({ links: [] });
    rendezvous.close();
  });

  test('an inbound link without introduction is closed', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const bob = await world.peer('bob').start();
    const status = await bob.json<{ listen: string[] }>('status');
    const stranger = await loadIdentity(join(world.directory, 'stranger'));
    const channel = await dial(stranger, { ...address(status.listen[0]), protocol: peerAlpn, expected: bob.id }, never);
    await expect(greet(channel, helloOf('stranger'), never)).rejects.toMatchObject({ code: 'not_introduced' });
    expect(await bob.json('status')).toMatchObject({ links: [] });
  });

  test('ID@HOST:PORT needs no rendezvous at all', async () => {
    await using world = await World.create();
    const [alice, bob] = [await world.peer('alice').start(), await world.peer('bob', { args: ['--accept', 'auto'] }).start()];
    const where = async (peer: typeof alice): Promise<string> => `${peer.id}@${(await peer.json<{ listen: string[] }>('status')).listen[0]}`;
    await alice.json('trust', await where(bob));
    await bob.json('trust', await where(alice));
    await writeFile(join(alice.directory, 'direct'), 'direct');
    expect((await alice.run('send', bob.id.slice(0, 8), 'direct')).code).toBe(0);
    expect(await readdir(bob.inboxDirectory)).toEqual(['direct']);
    expect(await alice.json('contacts')).toMatchObject({ contacts: [{ id: bob.id, trust: 'pinned', state: 'linked' }] });
  });

  test('unknown and ambiguous names are exit 4, and the candidates are listed', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const alice = await world.peer('alice').start();
    const one = await world.peer('one', { name: 'twin' }).start();
    const other = await world.peer('other', { name: 'twin' }).start();
    await alice.seesPeers((seen) => seen.length === 2);
    const nobody = await alice.run('--json', 'connect', 'nobody');
    expect([nobody.code, nobody.stderr]).toEqual([4, expect.stringContaining('no_such_peer')]);
    const twins = await alice.run('connect', 'twin');
    expect(twins.code).toBe(4);
    for (const { id } of [one, other]) expect(twins.stderr).toContain(id.slice(0, 8));
    expect((await alice.run('connect', `twin~${one.id.slice(0, 6)}`)).code).toBe(0);
  });

  test('forget: a stranger again, without key, policy and link; not while a transfer is not over', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
    await writeFile(join(alice.directory, 'note'), 'hi');
    await alice.json('chat', 'bob', 'hello');
    await alice.json('policy', 'bob', 'auto');
    const send = alice.command(['--json', 'send', 'bob', 'note']);
    const { id } = await send.line((line) => line['event'] === 'offered');
    const refused = await alice.run('forget', 'bob');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(`peerctl cancel ${String(id)}`)]);
    await alice.json('cancel', String(id));
    await send.result;

    expect(await alice.json('forget', 'bob')).toMatchObject({ peer: { id: bob.id }, state: 'forgotten', droppedMessages: 0 });
    expect(await alice.json('contacts')).toEqual({ contacts: [] });
    expect(await alice.json('status')).toMatchObject({ links: [] });
    const { peers } = await alice.json<{ peers: unknown[] }>('peers');
    expect(peers).toMatchObject([{ id: bob.id, trust: 'new', policy: { kind: 'ask', own: false } }]);
    expect((await alice.run('forget', 'bob')).stdout).toContain('no contact');
  });
});
