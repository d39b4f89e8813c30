/** Receipts in the log at both ends, the history, and where the time goes, through the transfer service. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeReceiptBody, encodeReceiptBody, type WhyResponse } from '@peerd/protocol';
import { describe, expect, test } from 'vitest';
import { chunkSize, createWorld, type Peer, type World, type WorldOptions } from './linked-services.ts';

const never = new AbortController().signal;
const auto: WorldOptions = { bob: { accept: 'auto' } };

const sendFile = async ({ alice }: World, name: string, bytes: number): Promise<string> => {
  const path = join(alice.directory, name);
  await writeFile(path, randomBytes(bytes));
  return (await alice.service.send({ peers: ['bob'], paths: [path] }, never)).transfers[0]?.id ?? '';
};

const both = ({ alice, bob }: World, id: string): Promise<unknown> => Promise.all([alice.reaches(id, 'done'), bob.reaches(id, 'done')]);

/** Asks again and again until the answer fits: what is being measured has to grow first. */
const whyFits = async (peer: Peer, id: string, fits: (why: WhyResponse) => boolean): Promise<WhyResponse> => {
  for (;;) {
    const why = await peer.service.why(id);
    if (fits(why)) return why;
    await sleep(20);
  }
};

describe('receipts', () => {
  test('the same one stands in the logs of both ends before anybody is told that it is done', async () => {
    const world = await createWorld(auto);
    const { alice, bob } = world;
    const logged: number[] = [];
    world.link().onMessage = (to, message) => {
      if (message.kind === 'receipt') void bob.receipts.list(0, 10).then(({ total }) => logged.push(total));
      if (message.kind === 'receipt-ack') void alice.receipts.list(0, 10).then(({ total }) => logged.push(total));
      return to ? message : undefined;
    };
    const id = await sendFile(world, 'one', 10_000);
    await both(world, id);
    const [ours, theirs] = await Promise.all([alice.receipts.list(0, 10), bob.receipts.list(0, 10)]);
    expect(ours.receipts).toMatchObject([{ seq: 1, role: 'sent', peer: bob.id, transfer: id }]);
    expect(Buffer.from(ours.receipts[0]?.content?.record.signer ?? []).equals(bob.identity.publicKey)).toBe(true);
    expect(theirs.receipts).toMatchObject([{ seq: 1, role: 'received', peer: alice.id, transfer: id }]);
    expect(theirs.receipts[0]?.content?.record.body).toEqual(ours.receipts[0]?.content?.record.body);
    expect(theirs.receipts[0]?.content?.record.signature).toEqual(ours.receipts[0]?.content?.record.signature);
    expect(logged).toEqual([1, 1]);
    for (const peer of [alice, bob]) expect(await peer.receipts.verify(never)).toEqual({ intact: 1, written: 1, problem: undefined });
  });

  test('a receiver that was interrupted between its log and the end of the transfer signs no second receipt', async () => {
    const world = await createWorld(auto);
    const { alice, bob } = world;
    // The log is written, and then the row of the transfer can't be: as if the daemon was killed in between.
    await bob.database.run(`CREATE TRIGGER stuck BEFORE UPDATE OF state ON transfers WHEN NEW.state = 'done' BEGIN SELECT RAISE(ABORT, 'stuck'); END`);
    world.link();
    const id = await sendFile(world, 'one', 3 * chunkSize);
    while ((await bob.receipts.list(0, 10)).total === 0) await sleep(10);
    await bob.stop();
    await bob.start();
    await bob.database.run('DROP TRIGGER stuck');
    await bob.stop();
    await bob.start();
    world.link();
    await both(world, id);
    expect((await bob.receipts.list(0, 10)).total).toBe(1);
    expect((await alice.receipts.list(0, 10)).receipts[0]?.content?.record.body).toEqual((await bob.receipts.list(0, 10)).receipts[0]?.content?.record.body);
  });

  test('a receipt that comes again, and others of the same transfer, are not logged', async () => {
    const world = await createWorld(auto);
    const { alice, bob } = world;
    const wire = world.link();
    const id = await sendFile(world, 'one', 100);
    await both(world, id);
    const { content } = (await alice.receipts.list(0, 10)).receipts[0] ?? {};
    if (!content) throw new Error('there is no receipt');
    const body = encodeReceiptBody({ ...decodeReceiptBody(content.record.body), receivedAt: 5 });
    for (const receipt of [content.record, { body, signature: bob.identity.sign(body) }])
      await alice.service.message(wire.link(alice), { kind: 'receipt', body: { transfer: id, body: receipt.body, signature: receipt.signature, savedAs: [] } });
    expect((await alice.receipts.list(0, 10)).total).toBe(1);
  });
});

describe('history', () => {
  test('what is over, newest first, in pages, with filters', async () => {
    const world = await createWorld({});
    const { alice, bob } = world;
    world.link();
    const ids: string[] = [];
    for (const [index, act] of (['accept', 'reject', 'accept', 'none'] as const).entries()) {
      const id = await sendFile(world, `file ${index}`, 100);
      ids.push(id);
      await bob.event((event) => event.kind === 'offer' && event.id === id);
      if (act === 'accept') await bob.service.accept(id, {});
      if (act === 'reject') await bob.service.reject(id, {});
      if (act !== 'none') await alice.event((event) => event.kind === 'transfer' && event.transfer.id === id && ['done', 'rejected'].includes(event.transfer.state));
    }
    const all = await alice.service.history({});
    expect(all).toMatchObject({ total: 3, offset: 0, transfers: [{ id: ids[2] }, { id: ids[1] }, { id: ids[0] }] });
    expect(all.transfers.map(({ state, savedAs, receipt }) => [state, savedAs, receipt])).toEqual([['done', ['file 2'], 'verified'], ['rejected', [], 'none'], ['done', ['file 0'], 'verified']]);
    expect(await alice.service.history({ offset: 1, limit: 1 })).toMatchObject({ total: 3, offset: 1, transfers: [{ id: ids[1] }] });
    expect(await alice.service.history({ state: 'rejected' })).toMatchObject({ total: 1, transfers: [{ id: ids[1] }] });
    expect((await bob.service.history({ peer: 'alice', state: 'done' })).transfers.map(({ savedAs }) => savedAs)).toEqual([[join(bob.settings.downloadDir, 'file 2')], [join(bob.settings.downloadDir, 'file 0')]]);
    for (const peer of [bob.id, bob.id.slice(0, 6), `bob~${bob.id.slice(0, 4)}`]) expect((await alice.service.history({ peer })).total).toBe(3);
    await expect(alice.service.history({ peer: 'carol' })).rejects.toMatchObject({ code: 'no_such_peer' });
    await expect(alice.service.history({ peer: `bob~${alice.id.slice(0, 8)}` })).rejects.toMatchObject({ code: 'no_such_peer' });
  });
});

describe('why', () => {
  test('a person who lets it wait, at both ends, while it waits and afterwards', async () => {
    const world = await createWorld({});
    const { alice, bob } = world;
    world.link();
    const id = await sendFile(world, 'file', 100);
    await bob.event((event) => event.kind === 'offer' && event.id === id);
    const waits = (why: WhyResponse): boolean => why.bottleneck?.what === 'person';
    const [ours, theirs] = await Promise.all([whyFits(alice, id, waits), whyFits(bob, id, waits)]);
    expect([ours.running, ours.content, theirs.sentence]).toEqual([true, null, expect.stringMatching(/^Waiting for a decision here takes/)]);
    expect(ours.sentence).toMatch(/^Waiting for a decision at bob takes/);
    await bob.service.accept(id, {});
    await both(world, id);
    const [after, show] = await Promise.all([alice.service.why(id), alice.service.show(id, {})]);
    expect(after.running).toBe(false);
    expect(after.stages.waiting).toBe(after.phases.person);
    expect(show.stages.waiting).toBeGreaterThan(0);
    expect(after.elapsed).toBe(after.phases.reaching + after.phases.person + after.phases.content);
    expect(await alice.service.why(id)).toEqual(after);
  });

  test('a network that holds the content back, while it does', async () => {
    const world = await createWorld(auto);
    const { alice, bob } = world;
    const held = Promise.withResolvers<void>();
    world.link().onFrame = (_frame, count) => (count === 3 ? held.promise : undefined);
    const id = await sendFile(world, 'file', 40 * chunkSize);
    await bob.reaches(id, 'transferring');
    const [ours, theirs] = await Promise.all([whyFits(alice, id, ({ content }) => content?.what === 'socket'), whyFits(bob, id, ({ content }) => content?.what === 'socket')]);
    expect(ours).toMatchObject({ running: true, state: 'transferring', sentence: expect.stringMatching(/the network to bob/i) as string });
    expect(theirs.sentence).toMatch(/waiting for data from alice/i);
    held.resolve();
    await both(world, id);
  });

  test('the time of the receiver’s disk is known at the sender, and none is longer than the transfer', async () => {
    const world = await createWorld({ bob: { accept: 'auto', durability: 'transfer' } });
    const { alice, bob } = world;
    world.link();
    const id = await sendFile(world, 'file', 60 * chunkSize);
    await both(world, id);
    const [sent, received] = await Promise.all([alice.service.why(id), bob.service.why(id)]);
    expect(received.stages.write).toBeGreaterThan(0);
    expect(sent.stages.write).toBeGreaterThan(0);
    expect(sent.stages.write).toBeLessThanOrEqual(Math.ceil(received.stages.write));
    expect([sent.stages.read > 0, sent.stages.hash > 0, sent.stages.socket > 0, received.stages.hash > 0, received.stages.socket > 0]).toEqual([true, true, true, true, true]);
    const metrics = await alice.registry.metrics();
    for (const stage of ['read', 'hash', 'socket', 'write']) {
      const counted = Number(new RegExp(`peerd_transfer_stage_seconds_total\\{direction="send",stage="${stage}"\\} (\\S+)`).exec(metrics)?.[1]);
      expect([stage, counted]).toEqual([stage, expect.closeTo(sent.stages[stage as 'read'] / 1_000, 6)]);
    }
  });

  test('a receiver that tells nonsense of its disk is not believed', async () => {
    const world = await createWorld(auto);
    const { alice } = world;
    world.link().onMessage = (_to, message) => (message.kind === 'progress' ? { kind: 'progress', body: { ...message.body, writeMs: Number.MAX_SAFE_INTEGER } } : message);
    const id = await sendFile(world, 'file', 10 * chunkSize);
    await both(world, id);
    const why = await alice.service.why(id);
    expect(why.stages.write).toBeLessThanOrEqual(why.elapsed);
  });

  test('a receiver of before, that says nothing of its disk', async () => {
    const world = await createWorld(auto);
    const { alice } = world;
    world.link().onMessage = (_to, message) => {
      if (message.kind !== 'progress') return message;
      const { writeMs: _, ...body } = message.body;
      return { kind: 'progress', body };
    };
    const id = await sendFile(world, 'file', 10 * chunkSize);
    await both(world, id);
    expect((await alice.service.why(id)).stages.write).toBe(0);
  });
});
