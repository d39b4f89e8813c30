import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Peer, SeenPeer } from '../harness/world.ts';
import { World } from '../harness/world.ts';

const names = (peers: readonly SeenPeer[]): string[] => peers.map((peer) => peer.name).sort();

describe.concurrent('roster', () => {
  test('each of four peers sees the other three, and nobody twice', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const peers = await world.peersInOneRoom(['alice', 'bob', 'carol', 'dave']);
    for (const peer of peers) {
      const { peers: seen } = await peer.json<{ peers: SeenPeer[] }>('peers');
      expect(names(seen)).toEqual(peers.filter((other) => other !== peer).map((other) => other.name));
      expect(seen.every((other) => other.state === 'online' && other.trust === 'new' && other.addresses.length > 0)).toBe(true);
    }
    const whoami = await peers[0].json('whoami');
    expect(whoami).toMatchObject({ id: peers[0].id, shortId: peers[0].id.slice(0, 8), name: 'alice' });
  });

  test('a killed peer leaves the roster, a stopped one with its lease; it is back after SIGCONT', async () => {
    await using world = await World.create();
    await world.rendezvous();
    const [alice, bob, carol] = await world.peersInOneRoom(['alice', 'bob', 'carol']);
    await bob.end('SIGKILL');
    const without = (gone: Peer) => (seen: readonly SeenPeer[]) => seen.every(({ id }) => id !== gone.id);
    expect(names(await alice.seesPeers(without(bob)))).toEqual(['carol']);
    carol.daemon?.signal('SIGSTOP');
    expect(await alice.seesPeers(without(carol))).toEqual([]);
    carol.daemon?.signal('SIGCONT');
    const back = await alice.seesPeers((seen) => seen.some(({ id }) => id === carol.id));
    expect(names(back)).toEqual(['carol']);
    await bob.start();
    expect(names(await alice.seesPeers((seen) => seen.length === 2))).toEqual(['bob', 'carol']);
  });

  test('the rendezvous may go and come back: everybody registers again', async () => {
    await using world = await World.create();
    const rendezvous = await world.rendezvous();
    const [alice, bob] = await world.peersInOneRoom(['alice', 'bob']);
    await rendezvous.end('SIGKILL');
    expect(await alice.seesPeers((seen) => seen.length === 0)).toEqual([]);
    await rendezvous.start();
    expect(names(await alice.seesPeers((seen) => seen.length === 1))).toEqual(['bob']);
    expect(names(await bob.seesPeers((seen) => seen.length === 1))).toEqual(['alice']);
  });

  test('a full rendezvous and a wrong room secret are told by status', async () => {
    await using world = await World.create();
    await writeFile(join(world.directory, 'right'), 'open sesame\n', { mode: 0o600 });
    await writeFile(join(world.directory, 'wrong'), 'open barley\n', { mode: 0o600 });
    await world.rendezvous({ args: ['--max-peers', '1', '--room-secret-file', join(world.directory, 'right')] });
    const refusal = async (peer: Peer, code: string): Promise<void> => {
      await peer.daemon?.line((line) => JSON.stringify(line).includes(code));
      const status = await peer.json<{ rendezvous: { state: string; error?: { code: string } }[] }>('status');
      expect(status.rendezvous[0]?.error?.code).toBe(code);
    };
    const alice = await world.peer('alice', { args: ['--room-secret-file', join(world.directory, 'right')] }).start();
    const bob = await world.peer('bob', { args: ['--room-secret-file', join(world.directory, 'wrong')] }).start();
    await refusal(bob, 'room_secret_wrong');
    expect(await bob.json('peers')).toEqual({ peers: [] });
    const registered = async (): Promise<boolean> =>
      (await alice.json<{ rendezvous: { state: string }[] }>('status')).rendezvous[0]?.state === 'registered';
    if (!(await registered())) await alice.daemon?.line((line) => JSON.stringify(line).includes('registered'));
    const carol = await world.peer('carol', { args: ['--room-secret-file', join(world.directory, 'right')] }).start();
    await refusal(carol, 'rendezvous_full');
  });
});
