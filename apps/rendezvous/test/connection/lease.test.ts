import { expect, test } from 'vitest';
import { TestClient } from '../support/client.ts';
import { ManualClock } from '../support/clock.ts';
import { startServer } from '../support/server.ts';

test('a silent peer is off the roster when its lease lapses, and is told; any frame renews the lease', async () => {
  const clock = new ManualClock();
  const server = await startServer({}, clock);
  const [alice, bob, carol] = [await TestClient.join(server), await TestClient.join(server), await TestClient.join(server)] as const;
  clock.advance(100);
  await alice.sees(bob, carol);
  clock.advance(19_900);
  await alice.ping();
  // An unknown frame type is a sign of life too.
  carol.channel.send(Buffer.from('000000017f00', 'hex'));
  await carol.ping();
  clock.advance(9_999);
  await alice.ping();
  expect(alice.roster).toEqual([bob.id, carol.id].sort());
  clock.advance(101);
  expect(await bob.next('close')).toMatchObject({ code: 'lease_expired' });
  await alice.sees(carol);
  await bob.ended;
  expect(await server.metric('rendezvous_departures_total{reason="lease_expired"}')).toBe(1);
  expect(await server.metric('rendezvous_frames_skipped_total')).toBe(1);
  const again = await TestClient.join(server, { identity: bob.identity });
  clock.advance(100);
  await alice.sees(carol, again);
});

test('changes within a window travel in one delta', async () => {
  const clock = new ManualClock();
  const server = await startServer({}, clock);
  const alice = await TestClient.join(server);
  clock.advance(100);
  const others = await Promise.all([TestClient.join(server), TestClient.join(server), TestClient.join(server)]);
  others[0].channel.end();
  await others[0].ended;
  await alice.ping();
  clock.advance(100);
  await alice.sees(others[1], others[2]);
  // The first delta told of alice herself and is empty for her.
  expect(alice.messages.filter(({ kind }) => kind === 'roster-delta').length).toBe(2);
});

test('no timer is left after the end', async () => {
  const clock = new ManualClock();
  const server = await startServer({}, clock);
  const alice = await TestClient.join(server);
  const bob = await TestClient.join(server);
  alice.introduce(1, bob.id);
  await bob.next('introduction');
  expect(clock.timers).toBeGreaterThan(0);
  await server.stop();
  await Promise.all([alice.ended, bob.ended]);
  expect(clock.timers).toBe(0);
});
