/** A cable is pulled: no packet says that anything ended. Both ends have to find out by themselves, and go on once it is back. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { sha256OfFile, writeRandomFile } from '../harness/files.ts';
import { type Host, namespacesUnavailable, twoHosts } from '../harness/namespaces.ts';
import { type Peer, World } from '../harness/world.ts';

const execute = promisify(execFile);
const unavailable = await namespacesUnavailable();
if (unavailable !== undefined) console.warn(`skipped: unplugged: ${unavailable}`);

/** A link is dead after 15 s of silence; machines that do other work notice a little later. */
const linkGoneMs = 25_000;
/** A lease is 30 s. */
const leaseGoneMs = 45_000;

/** What a program prints that runs on a host. */
const printed = async (host: Host, ...words: readonly string[]): Promise<string> => {
  const [command = '', ...args] = [...host.prefix, ...words];
  return (await execute(command, args)).stdout;
};

/** Connections of a host to the other one that its kernel holds to be alive. */
const connections = async (from: Host, to: Host): Promise<number> =>
  (await printed(from, 'ss', '-Htn', 'state', 'established', 'dst', to.address)).split('\n').filter(Boolean).length;

const linksOf = async (peer: Peer): Promise<number> => (await peer.json<{ links: unknown[] }>('status')).links.length;

const metric = async (host: Host, address: string, series: string): Promise<number> => {
  const text = await printed(host, process.execPath, '-e', 'fetch(process.argv[1]).then((answer) => answer.text()).then(console.log)', `http://${address}/metrics`);
  return Number(text.split('\n').find((line) => line.startsWith(`${series} `))?.slice(series.length));
};

describe.skipIf(unavailable !== undefined)('the cable between two hosts is pulled', () => {
  test('links, data connections and the lease end by themselves at both ends; the transfer goes on when it is back', { timeout: 120_000 }, async () => {
    const [left, right] = await twoHosts();
    await using _left = left;
    await using _right = right;
    await using world = await World.create();
    const rendezvous = await world.rendezvous({ listen: `${left.address}:0`, prefix: left.prefix });
    const [alice, bob] = await Promise.all(
      ([['alice', left], ['bob', right]] as const).map(([name, host]) => world.peer(name, { prefix: host.prefix, listen: `${host.address}:0`, args: ['--accept', 'auto'] }).start()),
    ) as [Peer, Peer];
    await alice.seesPeers((seen) => seen.length === 1);
    await alice.json('connect', 'bob');
    await writeRandomFile(join(bob.directory, 'large'), 12_000_000);
    const send = bob.command(['--json', 'send', 'alice', 'large', '--limit-rate', '2MB']);
    await alice.seesTransfer(({ bytesDone }) => bytesDone > 0);
    // The link, data connections, and bob's registration.
    expect(await connections(right, left)).toBeGreaterThanOrEqual(3);

    await right.plugged(false);
    await Promise.all([alice, bob].map((peer) => expect.poll(() => linksOf(peer), { timeout: linkGoneMs, interval: 1_000 }).toBe(0)));
    await Promise.all([
      alice.seesPeers((seen) => seen.some(({ name, state }) => name === 'bob' && state === 'offline'), leaseGoneMs),
      bob.seesPeers((seen) => seen.some(({ name, state }) => name === 'alice' && state === 'offline'), leaseGoneMs),
    ]);
    await expect.poll(async () => [await connections(left, right), await connections(right, left)], { timeout: leaseGoneMs, interval: 1_000 }).toEqual([0, 0]);
    expect(await metric(left, rendezvous.admin, 'rendezvous_departures_total{reason="lease_expired"}')).toBe(1);
    expect(await metric(left, rendezvous.admin, 'rendezvous_registered_peers')).toBe(1);
    for (const [peer, host] of [[alice, left], [bob, right]] as const) {
      const { metrics } = await peer.json<{ metrics: string }>('status');
      expect([peer.name, await metric(host, metrics, 'peerd_links_ended_total{reason="link_lost"}')]).toEqual([peer.name, 1]);
      expect((await peer.json<{ transfers: { state: string }[] }>('transfers')).transfers.map(({ state }) => state)).not.toContain('failed');
    }

    await right.plugged(true);
    const { code, stderr } = await send.result;
    expect([code, stderr]).toEqual([0, '']);
    expect(await sha256OfFile(join(alice.inboxDirectory, 'large'))).toBe(await sha256OfFile(join(bob.directory, 'large')));
    await alice.seesPeers((seen) => seen.some(({ name, state }) => name === 'bob' && state === 'linked'));
    expect(await alice.json('transfers')).toMatchObject({ transfers: [{ state: 'done' }] });
  });
});
