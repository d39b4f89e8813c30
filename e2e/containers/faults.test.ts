/** What befalls containers: killed, paused, cut off, restarted. Nothing is lost, everything completes, the roster has no ghost. */
import type { SendMessageResponse } from '@peerd/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFailed, test } from 'vitest';
import { Compose } from './harness/compose.ts';
import type { ContainerPeer, UnderWay } from './harness/peer.ts';
import { until } from './harness/poll.ts';

const unavailable = inject('noContainers');

describe('faults of containers', () => {
  let compose: Compose;
  beforeAll(async () => {
    if (unavailable === undefined) compose = await Compose.up();
  });
  afterAll(() => compose?.[Symbol.asyncDispose]());
  beforeEach(async ({ skip }) => {
    skip(unavailable !== undefined, unavailable);
    onTestFailed(async () => console.error(await compose.logs()));
    // A test that failed must not make the next one fail.
    await Promise.all([compose.rendezvous, ...compose.peers].map((container) => container.mend()));
    await compose.settled();
  });

  /** Both sides say so, and the content is there, once, under its name. */
  const completes = async ({ id, sample, from, to }: UnderWay): Promise<void> => {
    for (const side of [to, from]) await until(`${sample.name} is done at ${side.service}`, () => side.transfer(id), ({ state }) => !['queued', 'connecting', 'offered', 'accepted', 'transferring', 'verifying'].includes(state));
    for (const side of [to, from]) expect(await side.transfer(id)).toMatchObject({ state: 'done', receipt: { verified: true } });
    expect((await to.transfer(id)).chunks.rewritten).toBe(0);
    expect(await to.received(sample.name)).toEqual([{ name: sample.name, sha256: sample.sha256 }]);
    await Promise.all([from, to].map((side) => side.removeFiles(sample.name)));
  };

  /** The fault came in mid-transfer. */
  const unfinished = async ({ id, from }: UnderWay): Promise<void> => expect((await from.transfer(id)).state).not.toBe('done');

  const resumed = async ({ id, to }: UnderWay): Promise<void> => {
    const { bytes, chunks } = await to.transfer(id);
    expect(chunks.reused).toBeGreaterThan(0);
    expect(chunks.reused).toBeLessThan(bytes / chunks.chunkSize);
  };

  test('kill -9 of a receiver and of a sender in mid-transfer', async () => {
    const { alice, bob, carol, dave } = compose;
    const [toBob, fromCarol] = await Promise.all([alice.sendUnderWay(bob, 'killed-receiver'), carol.sendUnderWay(dave, 'killed-sender')]);
    await Promise.all([bob.kill(), carol.kill()]);
    await compose.settled([alice, dave]);
    await Promise.all([bob.start(), carol.start()]);
    await Promise.all([toBob, fromCarol].map(completes));
    expect((await toBob.send.result).code).toBe(0);
    await Promise.all([toBob, fromCarol].map(resumed));
    await compose.settled();
  });

  test('a peer that is paused, and one that is cut off, for longer than their leases', async () => {
    const { alice, bob, carol, dave } = compose;
    const [toBob, fromBob, toDave] = await Promise.all([alice.sendUnderWay(bob, 'cut-off-receiver'), bob.sendUnderWay(carol, 'cut-off-sender'), alice.sendUnderWay(dave, 'paused')]);
    // Connections to a paused process stay open, those of a cable that is out are never closed: only the lease ends the registration.
    await Promise.all([bob.disconnect(), dave.pause()]);
    await Promise.all([toBob, fromBob, toDave].map(unfinished));
    await compose.settled([alice, carol]);
    await stillQueued(alice, bob, 'are you there?');
    await stillQueued(bob, alice, 'nobody is here');
    await stillQueued(alice, dave, 'while you slept');
    await Promise.all([bob.connect(), dave.unpause()]);
    await Promise.all([toBob, fromBob, toDave].map(completes));
    for (const { send } of [toBob, fromBob, toDave]) expect((await send.result).code).toBe(0);
    await Promise.all([heard(bob, alice, 'are you there?'), heard(alice, bob, 'nobody is here'), heard(dave, alice, 'while you slept')]);
    await compose.settled();
  });

  test('a rendezvous that is cut off for longer than every lease', async () => {
    const { alice, bob, rendezvous } = compose;
    const transfer = await alice.sendUnderWay(bob, 'without-rendezvous');
    await rendezvous.disconnect();
    await unfinished(transfer);
    await completes(transfer);
    expect((await transfer.send.result).code).toBe(0);
    await until('every lease has ended', () => compose.registered(), ({ length }) => length === 0);
    // Linked peers need no rendezvous.
    expect((await alice.json<SendMessageResponse>('chat', 'bob', 'we do not need it')).state).toBe('delivered');
    await completes(await bob.sendUnderWay(alice, 'still-without'));
    await rendezvous.connect();
    await compose.settled();
  });

  test('a rolling restart of everything while transfers run', async () => {
    const { alice, bob, carol, dave, rendezvous } = compose;
    const ring: [ContainerPeer, ContainerPeer][] = [[alice, bob], [bob, carol], [carol, dave], [dave, alice]];
    // A contact may be away when something is sent to it; a stranger has to be on the roster.
    await Promise.all(ring.map(([peer, next]) => peer.json('trust', next.service)));
    const transfers: UnderWay[] = [];
    for (const [peer, next] of ring) {
      transfers.push(await peer.sendUnderWay(next, `restart-of-${peer.service}`));
      // The stop signal ends a daemon by itself, in order.
      if (peer === carol) {
        expect(await rendezvous.stop()).toBe(0);
        await rendezvous.start();
      }
      expect(await peer.stop()).toBe(0);
      await peer.start();
    }
    await Promise.all(transfers.map(completes));
    await Promise.all(transfers.map(resumed));
    await compose.settled();
    // What arrived in all these tests was removed: staging and duplicates would be left.
    for (const peer of compose.peers) expect(await peer.received()).toEqual([]);
  });
});

const stillQueued = async (from: ContainerPeer, to: ContainerPeer, text: string): Promise<void> => {
  expect((await from.json<SendMessageResponse>('chat', to.service, text)).state).toBe('queued');
};

const heard = async (at: ContainerPeer, from: ContainerPeer, text: string): Promise<void> => {
  await until(`"${text}" at ${at.service}`, () => at.messagesFrom(from), (texts) => texts.includes(text));
  expect((await at.messagesFrom(from)).filter((other) => other === text)).toEqual([text]);
};
