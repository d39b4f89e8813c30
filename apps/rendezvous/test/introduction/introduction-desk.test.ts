import { introductionTimeoutMs } from '@peerd/protocol';
import { expect, test } from 'vitest';
import { TestClient } from '../support/client.ts';
import { ManualClock } from '../support/clock.ts';
import { startServer } from '../support/server.ts';

test('the request is forwarded, the answer comes back with fresh addresses', async () => {
  const server = await startServer();
  const alice = await TestClient.join(server, { name: 'alice' });
  const bob = await TestClient.join(server, { name: 'bob' });
  alice.introduce(5, bob.id);
  const { introduction, from } = await bob.next('introduction');
  expect(from).toMatchObject({ id: alice.id, name: 'alice', addresses: [{ host: '192.0.2.7' }, { kind: 'observed' }] });
  bob.register({ addresses: [{ host: '192.0.2.50', port: 9, kind: 'host' }] });
  bob.answer(introduction, 'accepted');
  expect(await alice.next('introduction-result')).toMatchObject({ request: 5, verdict: 'accepted', peer: { id: bob.id, addresses: [{ host: '192.0.2.50', port: 9 }, { kind: 'observed', port: 9 }] } });
  alice.introduce(6, bob.id);
  bob.answer((await bob.next('introduction', (body) => body.introduction !== introduction)).introduction, 'refused');
  expect(await alice.next('introduction-result', ({ request }) => request === 6)).toEqual({ request: 6, verdict: 'refused' });
  expect(await server.metric('rendezvous_introductions_total{outcome="accepted"}')).toBe(1);
  expect(await server.metric('rendezvous_introduction_duration_seconds_count')).toBe(2);
});

test('nobody of another room, nobody unknown and not oneself', async () => {
  const server = await startServer();
  const alice = await TestClient.join(server);
  const carol = await TestClient.join(server, { room: 'other' });
  for (const [request, peer] of [carol.id, 'a'.repeat(52), alice.id].entries()) {
    alice.introduce(request, peer);
    expect(await alice.next('introduction-result', (body) => body.request === request)).toEqual({ request, verdict: 'unknown_peer' });
  }
  await carol.ping();
  expect(carol.messages.some(({ kind }) => kind === 'introduction')).toBe(false);
});

test('the deadline, and an answer after it', async () => {
  const clock = new ManualClock();
  const server = await startServer({}, clock);
  const alice = await TestClient.join(server);
  const bob = await TestClient.join(server);
  alice.introduce(1, bob.id);
  const { introduction } = await bob.next('introduction');
  for (let waited = 0; waited < introductionTimeoutMs; waited += 20_000) {
    await Promise.all([alice.ping(), bob.ping()]);
    clock.advance(20_000);
  }
  expect(await alice.next('introduction-result')).toEqual({ request: 1, verdict: 'timeout' });
  bob.answer(introduction, 'accepted');
  await bob.ping();
  await alice.ping();
  expect(alice.messages.filter(({ kind }) => kind === 'introduction-result').length).toBe(1);
  expect(await server.metric('rendezvous_introduction_messages_ignored_total{reason="late"}')).toBe(1);
});

test('the asked peer leaves, or changes its room: told at once', async () => {
  const server = await startServer();
  const alice = await TestClient.join(server);
  const bob = await TestClient.join(server);
  const carol = await TestClient.join(server);
  alice.introduce(1, bob.id);
  alice.introduce(2, carol.id);
  await Promise.all([bob.next('introduction'), carol.next('introduction')]);
  bob.channel.end();
  carol.register({ room: 'other' });
  for (const request of [1, 2]) expect(await alice.next('introduction-result', (body) => body.request === request)).toEqual({ request, verdict: 'unknown_peer' });
});

test('a foreign answer changes nothing', async () => {
  const server = await startServer();
  const alice = await TestClient.join(server);
  const bob = await TestClient.join(server);
  const mallory = await TestClient.join(server);
  alice.introduce(1, bob.id);
  const { introduction } = await bob.next('introduction');
  mallory.answer(introduction, 'accepted');
  await mallory.ping();
  bob.answer(introduction, 'refused');
  expect(await alice.next('introduction-result')).toEqual({ request: 1, verdict: 'refused' });
  expect(await server.metric('rendezvous_introduction_messages_ignored_total{reason="foreign"}')).toBe(1);
});

test('answers that were asked for cost nothing, others do', async () => {
  const server = await startServer();
  const bob = await TestClient.join(server);
  for (let round = 0; round < 7; round += 1) {
    const alice = await TestClient.join(server);
    for (let request = 0; request < 32; request += 1) alice.introduce(request, bob.id);
    await bob.next('introduction', ({ introduction }) => introduction === (round + 1) * 32);
    for (let request = 0; request < 32; request += 1) bob.answer(round * 32 + request + 1, 'refused');
    await bob.ping();
  }
  expect(bob.messages.some(({ kind }) => kind === 'close')).toBe(false);
  for (let answers = 0; answers < 300; answers += 1) bob.answer(1, 'refused');
  expect(await bob.next('close')).toMatchObject({ code: 'rate_limited' });
});

test('too many at once are answered with rate_limited', async () => {
  const server = await startServer();
  const alice = await TestClient.join(server);
  const bob = await TestClient.join(server);
  for (let request = 0; request < 33; request += 1) alice.introduce(request, bob.id);
  expect(await alice.next('introduction-result')).toEqual({ request: 32, verdict: 'rate_limited' });
  await bob.next('introduction', ({ introduction }) => introduction === 32);
  // Answers that were asked for don't count against the asked peer.
  for (let introduction = 1; introduction <= 32; introduction += 1) bob.answer(introduction, 'refused');
  const verdicts = (): string[] => alice.messages.flatMap((message) => (message.kind === 'introduction-result' ? [message.body.verdict] : []));
  await alice.until(() => verdicts().length === 33);
  expect(verdicts().filter((verdict) => verdict === 'refused').length).toBe(32);
});

test('who asks and leaves does not use up the budget of whom it asked', async () => {
  const server = await startServer();
  const bob = await TestClient.join(server);
  for (let round = 0; round < 8; round += 1) {
    const mallory = await TestClient.join(server);
    const before = bob.messages.length;
    for (let request = 0; request < 30; request += 1) mallory.introduce(request, bob.id);
    const asked = () => bob.messages.slice(before).flatMap((message) => (message.kind === 'introduction' ? [message.body.introduction] : []));
    await bob.until(() => asked().length === 30);
    mallory.channel.end();
    await mallory.ended;
    for (const introduction of asked()) bob.answer(introduction, 'accepted');
  }
  await bob.ping();
  expect(await server.metric('rendezvous_introduction_messages_ignored_total{reason="late"}')).toBe(240);
});
