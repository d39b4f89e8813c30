import { unregister, rosterRequest } from '@peerd/protocol';
import { describe, expect, test } from 'vitest';
import { TestClient } from '../support/client.ts';
import { ManualClock } from '../support/clock.ts';
import { startServer, newIdentity } from '../support/server.ts';

describe('registration and roster', () => {
  test('everybody sees the others and never itself; who leaves is gone', async () => {
    const server = await startServer();
    const [alice, bob, carol] = [await TestClient.join(server, { name: 'alice' }), await TestClient.join(server, { name: 'bob' }), await TestClient.join(server, { name: 'carol' })] as const;
    await Promise.all([alice.sees(bob, carol), bob.sees(alice, carol), carol.sees(alice, bob)]);
    expect(alice.model.roster.get(bob.id)).toMatchObject({ name: 'bob', addresses: [{ host: '192.0.2.7', port: 12_001, kind: 'host' }, { host: '127.0.0.1', port: 12_001, kind: 'observed' }] });
    bob.channel.end();
    await Promise.all([alice.sees(carol), carol.sees(alice)]);
    carol.send(unregister, {});
    expect(await carol.next('close')).toMatchObject({ code: 'disconnected' });
    await alice.sees();
    await carol.ended;
  });

  test('registered tells lease, heartbeat, epoch and the observed address', async () => {
    const server = await startServer();
    const alice = await TestClient.join(server);
    const body = await alice.next('registered');
    expect(body).toMatchObject({ observedHost: '127.0.0.1', leaseMs: 30_000, heartbeatMs: 10_000 });
    expect(body.epoch).toBeGreaterThan(1_700_000_000_000);
    await alice.ping();
  });

  test('the newest registration of an id wins at once; the older connection is told', async () => {
    const server = await startServer();
    const watcher = await TestClient.join(server, { name: 'watcher' });
    const identity = await newIdentity();
    const first = await TestClient.join(server, { identity, name: 'first' });
    await watcher.sees(first);
    const second = await TestClient.join(server, { identity, name: 'second' });
    expect(await first.next('close')).toMatchObject({ code: 'superseded' });
    await first.ended;
    await watcher.until(() => watcher.model.roster.get(identity.id)?.name === 'second');
    expect((await second.next('registered')).epoch).toBeGreaterThan((await first.next('registered')).epoch);
    // The end of the old connection doesn't take the new registration away.
    await second.ping();
    await watcher.ping();
    expect(watcher.roster).toEqual([identity.id]);
    expect(await server.metric('rendezvous_registrations_total{kind="superseding"}')).toBe(1);
  });

  test('rooms are apart; registering again updates addresses and moves', async () => {
    const server = await startServer();
    const [alice, bob, carol] = [await TestClient.join(server), await TestClient.join(server), await TestClient.join(server, { room: 'other' })] as const;
    await Promise.all([alice.sees(bob), carol.sees()]);
    bob.register({ addresses: [{ host: '192.0.2.99', port: 5, kind: 'host' }] });
    await alice.until(() => alice.model.roster.get(bob.id)?.addresses[0]?.host === '192.0.2.99');
    bob.register({ room: 'other' });
    await Promise.all([alice.sees(), bob.sees(carol), carol.sees(bob)]);
    expect(await server.metric('rendezvous_rooms')).toBe(2);
    expect(await server.metric('rendezvous_registered_peers')).toBe(3);
  });

  test('a full rendezvous says so and when to come back', async () => {
    const server = await startServer({ maxPeers: 1 });
    const alice = await TestClient.join(server);
    const bob = await TestClient.greet(server);
    bob.register();
    const close = await bob.next('close');
    expect(close.code).toBe('rendezvous_full');
    expect(close.retryAfterMs).toBeGreaterThanOrEqual(15_000);
    await bob.ended;
    alice.channel.end();
    await alice.ended;
    await TestClient.join(server);
    expect(await server.metric('rendezvous_registrations_refused_total{reason="rendezvous_full"}')).toBe(1);
  });

  test('a snapshot on request is the whole roster', async () => {
    const server = await startServer();
    const others = [await TestClient.join(server), await TestClient.join(server)];
    const reader = await TestClient.join(server);
    await reader.sees(...others);
    reader.model.roster.clear();
    reader.send(rosterRequest, { have: 0 });
    await reader.sees(...others);
    expect(reader.messages.filter(({ kind }) => kind === 'roster-snapshot').length).toBe(2);
    expect(await server.metric('rendezvous_roster_snapshots_sent_total')).toBe(4);
  });
});

test('a crowd that does not fit into one delta is told of in several windows', async () => {
  const clock = new ManualClock();
  const server = await startServer({}, clock);
  const alice = await TestClient.join(server);
  clock.advance(100);
  const addresses = Array.from({ length: 16 }, (_, index) => ({ host: `${index}`.padEnd(255, 'x'), port: 1, kind: 'host' as const }));
  const crowd: TestClient[] = [];
  for (let count = 0; count < 20; count += 1) crowd.push(await TestClient.join(server, { addresses }));
  clock.advance(100);
  await alice.until(() => alice.roster.length > 0);
  await alice.ping();
  const first = alice.roster.length;
  expect(first).toBeLessThan(20);
  clock.advance(100);
  await alice.sees(...crowd);
});
