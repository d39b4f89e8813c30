import { type Address, encodeMessage, ping } from '@peerd/protocol';
import { expect, test } from 'vitest';
import { TestClient } from '../support/client.ts';
import { ManualClock } from '../support/clock.ts';
import { startServer } from '../support/server.ts';

const long = Array.from({ length: 16 }, (_, index): Address => ({ host: `${index}`.padEnd(255, 'x'), port: 1, kind: 'host' }));

test('a client that does not read is disconnected, the others are not, and it may come back', { timeout: 60_000 }, async () => {
  const clock = new ManualClock();
  const server = await startServer({}, clock);
  const slow = await TestClient.greet(server, { name: 'slow' }, false);
  slow.register();
  const alice = await TestClient.join(server);
  const writers: TestClient[] = [];
  for (let index = 0; index < 20; index += 1) writers.push(await TestClient.join(server));
  clock.advance(100);
  await alice.until(() => alice.roster.length === 21);

  // Fills the buffers of both kernels, then the queue. The slow one stays alive by its heartbeats.
  let rounds = 0;
  while (alice.model.roster.has(slow.id)) {
    rounds += 1;
    expect(rounds).toBeLessThan(1_000);
    const version = alice.model.version;
    for (const writer of writers) writer.register({ addresses: long.map((address) => ({ ...address, port: rounds })) });
    slow.channel.send(encodeMessage(ping, { seq: rounds }));
    await Promise.all(writers.map((writer) => writer.ping()));
    await alice.ping();
    clock.advance(1_000);
    await alice.until(() => alice.model.version !== version);
  }
  expect(await server.metric('rendezvous_departures_total{reason="slow_consumer"}')).toBe(1);
  expect(await server.metric('rendezvous_departures_total{reason="lease_expired"}')).toBe(0);
  expect(await server.metric('rendezvous_registered_peers')).toBe(21);
  expect(alice.model.gap).toBe(false);

  const again = await TestClient.join(server, { identity: slow.identity });
  clock.advance(100);
  await again.sees(alice, ...writers);
});
