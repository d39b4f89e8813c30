import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type Address, encodeMessage, PeerdError, ping, register, registered, rendezvousAlpn, rendezvousMessages } from '@peerd/protocol';
import { dial, greet } from '@peerd/service';
import { expect, onTestFinished, test } from 'vitest';
import { TestClient } from '../support/client.ts';
import { ManualClock } from '../support/clock.ts';
import { newIdentity, startServer, type TestServer } from '../support/server.ts';

const long = Array.from({ length: 16 }, (_, index): Address => ({ host: `${index}`.padEnd(255, 'x'), port: 1, kind: 'host' }));

/** A client that registers again and again with long addresses. It reads everything and decodes nothing. */
const startWriter = async (server: TestServer): Promise<(port: number) => Promise<void>> => {
  const never = new AbortController().signal;
  const channel = await dial(await newIdentity(), { ...server.address, protocol: rendezvousAlpn, expected: server.id }, never);
  onTestFinished(() => channel.destroy(new PeerdError('cancelled', 'test over')));
  const { frames } = await greet(channel, { versions: [1], role: 'register', nonce: randomBytes(16), name: 'writer', agent: 'test/1' }, never);
  channel.expect(rendezvousMessages.bounds);
  const answers = new EventTarget();
  void (async () => {
    for await (const { type } of frames) if (type === registered.type) answers.dispatchEvent(new Event('registered'));
  })().catch(() => {});
  return async (port) => {
    channel.send(encodeMessage(register, { room: 'lobby', addresses: long.map((address) => ({ ...address, port })) }));
    await once(answers, 'registered');
  };
};

test('a client that does not read is disconnected, the others are not, and it may come back', { timeout: 60_000 }, async () => {
  const clock = new ManualClock();
  const server = await startServer({}, clock);
  const slow = await TestClient.greet(server, { name: 'slow' }, false);
  slow.register();
  const alice = await TestClient.join(server);
  const writers = await Promise.all(Array.from({ length: 10 }, () => startWriter(server)));

  // Fills the buffers of both kernels, then the queue. The slow one stays alive by its heartbeats.
  for (let round = 1; round === 1 || alice.model.roster.has(slow.id); round += 1) {
    expect(round).toBeLessThan(1_000);
    const version = alice.model.version;
    await Promise.all(writers.map((write) => write(round)));
    slow.channel.send(encodeMessage(ping, { seq: round }));
    await alice.ping();
    clock.advance(1_000);
    await alice.until(() => alice.model.version !== version);
  }
  expect(await server.metric('rendezvous_departures_total{reason="slow_consumer"}')).toBe(1);
  expect(await server.metric('rendezvous_departures_total{reason="lease_expired"}')).toBe(0);
  expect(await server.metric('rendezvous_registered_peers')).toBe(11);
  expect(alice.model.gap).toBe(false);

  const again = await TestClient.join(server, { identity: slow.identity });
  clock.advance(100);
  await alice.until(() => alice.model.roster.has(slow.id));
  expect(again.model.roster.size).toBe(11);
});
