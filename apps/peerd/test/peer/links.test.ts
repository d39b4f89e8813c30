import { chat, encodeMessage, formatAddress, PeerdError, shortPeerId } from '@peerd/protocol';
import type { Identity } from '@peerd/service';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ActiveLink } from '../../src/peer/active-link.ts';
import type { Link } from '../../src/peer/ports.ts';
import { failureOf, identities, quiet, until } from '../support.ts';
import { Hub, type TestPeer } from './hub.ts';
import { TcpProxy } from './tcp-proxy.ts';

const soon = (): AbortSignal => AbortSignal.timeout(10_000);
const fast = { probeMs: 100, heartbeatMs: 100, redial: { firstMs: 20, maxMs: 100 } };
const hello = (text: string): Buffer => encodeMessage(chat, { id: '01hzzzzzzzzzzzzzzzzzzzzzzz', text, sentAt: 1 });
const textOf = async (peer: TestPeer): Promise<string> => {
  const message = await peer.messages.next();
  return message.kind === 'chat' ? message.body.text : message.kind;
};
/** Both use the same connection: one's dialled end is the other's accepted one, and messages pass both ways. */
const expectLinked = async (a: TestPeer, b: TestPeer): Promise<[Link, Link]> => {
  await until(() => a.links.get(b.id) !== undefined && b.links.get(a.id) !== undefined && a.links.get(b.id)?.dialled !== b.links.get(a.id)?.dialled);
  const [here, there] = [a.links.get(b.id) as Link, b.links.get(a.id) as Link];
  await here.send(hello('to b'));
  await there.send(hello('to a'));
  expect([await textOf(b), await textOf(a)]).toEqual(['to b', 'to a']);
  return [here, there];
};

describe('links', () => {
  let hub: Hub;
  let low: Identity;
  let middle: Identity;
  let high: Identity;
  beforeEach(async () => {
    hub = new Hub();
    [low, middle, high] = await identities();
  });

  test('an introduction, a link, messages both ways', async () => {
    const [a, b] = [await hub.peer(low), await hub.peer(high)];
    let changes = 0;
    a.links.onChange(() => (changes += 1));
    const link = await a.links.connect(b.id, soon());
    expect(link).toMatchObject({ peer: b.id, name: b.id.slice(0, 4), publicKey: high.publicKey });
    await expectLinked(a, b);
    expect(a.links.all()).toEqual([link]);
    expect(await a.links.connect(b.id, soon())).toBe(link);
    expect(a.events).toEqual([`up ${b.id.slice(0, 4)}`]);
    expect(changes).toBe(1);
    expect(a.reached[0]).toEqual([b.id, link.dialled ? b.links.address : undefined]);
    expect(await a.metric('peerd_links 1')).toBe(true);
    expect(hub.introductions).toBe(1);
    // Nobody dialled before it was asked.
    expect([await a.counted('peerd_inbound_refused_total'), await b.counted('peerd_inbound_refused_total')]).toEqual([false, false]);
  });

  test.each(Array.from({ length: 10 }, (_, index) => index))('both dial at once: one link (%i)', async () => {
    const [a, b] = [await hub.peer(low), await hub.peer(high)];
    const links = await Promise.all([a.links.connect(b.id, soon()), b.links.connect(a.id, soon()), a.links.connect(b.id, soon())]);
    expect(links[0]).toBe(links[2]);
    await expectLinked(a, b);
    // Neither saw another one.
    expect([a.events, b.events].map((events) => events.length)).toEqual([1, 1]);
  });

  test('a contact is reached at its known address without a rendezvous', async () => {
    const [a, b] = [await hub.peer(low, { listed: false }), await hub.peer(high, { listed: false })];
    a.known.set(b.id, [b.links.address]);
    b.contacts.add(a.id);
    const link = await a.links.connect(b.id, soon());
    expect(link.dialled).toBe(true);
    expect(link.remote).toEqual(b.links.address);
    await expectLinked(a, b);
  });

  test('an address that swallows everything costs the stagger, not the deadline', async () => {
    const [a, b] = [await hub.peer(low, { listed: false }), await hub.peer(high, { listed: false })];
    const silent = await TcpProxy.to(b.links.address);
    silent.swallow();
    a.known.set(b.id, [silent.address, b.links.address]);
    b.contacts.add(a.id);
    expect((await a.links.connect(b.id, AbortSignal.timeout(5_000))).remote).toEqual(b.links.address);
    await until(() => silent.connections === 0);
  });

  test.each(['low', 'high'] as const)('only one direction is reachable: the %s side has no address', async (which) => {
    const [a, b] = [await hub.peer(low, { reachable: which !== 'low' }), await hub.peer(high, { reachable: which !== 'high' })];
    const [asking, asked] = which === 'low' ? [b, a] : [a, b];
    const link = await asking.links.connect(asked.id, soon());
    expect(link.dialled).toBe(false);
    await asking.links.disconnect(asked.id);
    expect((await asked.links.connect(asking.id, soon())).dialled).toBe(true);
    await expectLinked(a, b);
  });

  test('another key than expected: wrong_key, and what was found', async () => {
    const [a, b] = [await hub.peer(low), await hub.peer(middle)];
    a.known.set(high.id, [b.links.address]);
    const wrong = { code: 'wrong_key', details: { expected: high.id, actual: middle.id } };
    // Nothing else is known of the peer: nobody waits for the deadline.
    expect(await failureOf(a.links.connect(high.id, AbortSignal.timeout(600_000)))).toMatchObject(wrong);
    a.known.set(high.id, [b.links.address, { host: '127.0.0.1', port: 1 }]);
    expect(await failureOf(a.links.connect(high.id, AbortSignal.timeout(500)))).toMatchObject(wrong);
  });

  test('an address that is our own is no alarm', async () => {
    const a = await hub.peer(low);
    a.known.set(high.id, [a.links.address]);
    expect(await failureOf(a.links.connect(high.id, AbortSignal.timeout(300)))).toMatchObject({ code: 'peer_unreachable', message: expect.stringContaining('this machine') as string });
  });

  test('nobody there: the error lists what was tried', async () => {
    const [a, b] = [await hub.peer(low), await hub.peer(high)];
    const gone = b.links.address;
    await b.links.stop();
    a.known.set(b.id, [gone]);
    const error = await failureOf(a.links.connect(b.id, AbortSignal.timeout(400)));
    expect(error).toMatchObject({ code: 'introduction_refused' });
    hub.unlist(b);
    const unlisted = await failureOf(a.links.connect(b.id, AbortSignal.timeout(400)));
    expect(unlisted).toMatchObject({ code: 'peer_unreachable', hint: expect.any(String) as string });
    expect((unlisted as Error).message).toContain(`${formatAddress(gone)}: `);
    expect((unlisted as Error).message).toContain('ECONNREFUSED');
    expect(await failureOf(a.links.connect(middle.id, AbortSignal.timeout(50)))).toMatchObject({ message: expect.stringContaining('no address') as string });
  });

  test('a stranger is closed right after TLS, a blocked peer too', async () => {
    const [a, b] = [await hub.peer(low, { listed: false }), await hub.peer(high, { listed: false })];
    a.known.set(b.id, [b.links.address]);
    expect(await failureOf(a.links.connect(b.id, AbortSignal.timeout(400)))).toMatchObject({ code: 'not_introduced', hint: expect.any(String) as string });
    expect(await b.metric('peerd_inbound_refused_total{reason="not_introduced"}')).toBe(true);
    expect(await a.metric('peerd_dials_total{outcome="not_introduced"}')).toBe(true);
    b.blocked.add(a.id);
    // A contact too, and told no more than a stranger.
    b.contacts.add(a.id);
    const refusal = (await failureOf(a.links.connect(b.id, AbortSignal.timeout(400)))) as Error;
    expect(refusal).toMatchObject({ code: 'not_introduced' });
    expect(refusal.message).not.toContain('block');
    expect(b.events).toEqual([]);
  });

  test('a blocked peer is not dialled, whoever needs it, until that is lifted', async () => {
    const [a, b] = [await hub.peer(low, { listed: false }), await hub.peer(high, { listed: false })];
    a.known.set(b.id, [b.links.address]);
    b.contacts.add(a.id);
    a.blocked.add(b.id);
    a.links.need(b.id, 'test');
    await failureOf(a.links.connect(b.id, AbortSignal.timeout(400)));
    expect([a.events, b.events]).toEqual([[], []]);
    a.blocked.delete(b.id);
    a.links.resume(b.id);
    await expectLinked(a, b);
  });

  test('the peer of an unfinished transfer is let in', async () => {
    const [a, b] = [await hub.peer(low, { listed: false }), await hub.peer(high, { listed: false })];
    a.known.set(b.id, [b.links.address]);
    b.unfinished.add(a.id);
    expect((await a.links.connect(b.id, soon())).dialled).toBe(true);
    await expectLinked(a, b);
  });

  test('a refused introduction ends connect at once; blocked peers and refusals by policy', async () => {
    const [a, b] = [await hub.peer(low), await hub.peer(high, { admitIntroduction: async () => 'refused' as const })];
    const never = new AbortController().signal;
    expect(await failureOf(a.links.connect(b.id, never))).toMatchObject({ code: 'introduction_refused' });
    expect(await failureOf(b.links.connect(b.id, never))).toMatchObject({ code: 'invalid_argument' });
  });

  test('nothing is dialled before the asked peer has answered', async () => {
    const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<'accepted'>()];
    const [a, b] = [
      await hub.peer(low, { timing: fast }),
      await hub.peer(high, {
        admitIntroduction: () => {
          asked.resolve();
          return answer.promise;
        },
      }),
    ];
    const connecting = a.links.connect(b.id, soon());
    await asked.promise;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await a.counted('peerd_dials_total')).toBe(false);
    answer.resolve('accepted');
    expect((await connecting).peer).toBe(b.id);
  });

  test('who was introduced and never came is forgotten', async () => {
    const known: unknown[] = [];
    // Each peer that is kept has a logger of its own.
    const logger = Object.create(quiet, { child: { value: (bindings: { peer: string }) => (known.push(bindings.peer), quiet) } }) as typeof quiet;
    const a = await hub.peer(low, { logger, timing: { ...fast, askedDialMs: 20 } });
    const comes = async ({ id }: Identity): Promise<void> => {
      expect(await a.links.introduced({ id, name: 'never', addresses: [], epoch: 1 }, true)).toBe('accepted');
      await until(() => hub.subscribers === 0);
    };
    for (const identity of [middle, high, middle]) await comes(identity);
    expect(known).toEqual([middle, high, middle].map(({ id }) => shortPeerId(id)));
  });

  test('the reason of whoever cancels is kept', async () => {
    const a = await hub.peer(low);
    const controller = new AbortController();
    const failing = failureOf(a.links.connect(high.id, controller.signal));
    controller.abort(new PeerdError('cancelled', 'enough'));
    expect(await failing).toMatchObject({ code: 'cancelled' });
    expect(hub.subscribers).toBe(0);
  });

  test.each(['low', 'high'] as const)('the %s side is started anew: its new link replaces the old one at once', async (which) => {
    const [a, b] = [await hub.peer(low), await hub.peer(high)];
    await a.links.connect(b.id, soon());
    await expectLinked(a, b);
    const [stays, identity] = which === 'low' ? [b, low] : [a, high];
    const before = stays.links.get(identity.id);
    // The old process is still there, which is worse than dead: nothing tells that it is gone.
    const again = await hub.peer(identity);
    await again.links.connect(stays.id, soon());
    await expectLinked(again, stays);
    expect(before?.signal.reason).toMatchObject({ code: 'superseded' });
    expect(stays.events).toEqual([`up ${identity.id.slice(0, 4)}`, `down ${identity.id.slice(0, 4)} superseded`, `up ${identity.id.slice(0, 4)}`]);
  });

  describe.each(['low', 'high'] as const)('a half-dead link, dialled by the %s side', (which) => {
    const half = async (timing = {}): Promise<{ dialler: TestPeer; listener: TestPeer; proxy: TcpProxy }> => {
      const [a, b] = [await hub.peer(low, { listed: false, timing: { ...fast, ...timing } }), await hub.peer(high, { listed: false, timing: { ...fast, ...timing } })];
      const [dialler, listener] = which === 'low' ? [a, b] : [b, a];
      const proxy = await TcpProxy.to(listener.links.address);
      dialler.known.set(listener.id, [proxy.address]);
      dialler.contacts.add(listener.id);
      listener.contacts.add(dialler.id);
      await dialler.links.connect(listener.id, soon());
      await expectLinked(dialler, listener);
      proxy.freeze();
      return { dialler, listener, proxy };
    };

    test('ends after three silent heartbeats, and whoever needs it redials', async () => {
      const { dialler, listener } = await half();
      dialler.known.set(listener.id, [listener.links.address]);
      dialler.links.need(listener.id, 'test');
      await until(() => dialler.events.length === 3);
      expect(dialler.events[1]).toContain('link_lost');
      await expectLinked(dialler, listener);
    });

    test('is replaced when the other side comes on a new connection', async () => {
      // One side knows early, the other one would wait for a minute.
      const { dialler, listener } = await half({ heartbeatMs: 20_000 });
      const old = listener.links.get(dialler.id);
      dialler.known.set(listener.id, [listener.links.address]);
      (dialler.links.get(listener.id) as ActiveLink).connection.channel.destroy(new PeerdError('link_lost', 'broken for this side only'));
      await dialler.links.connect(listener.id, soon());
      await until(() => old?.signal.aborted === true);
      await expectLinked(dialler, listener);
      expect(listener.events).toHaveLength(3);
    });
  });

  test('need redials, disconnect ends that until the next wish', async () => {
    const [a, b] = [await hub.peer(low, { timing: fast }), await hub.peer(high, { timing: fast })];
    a.contacts.add(b.id);
    b.contacts.add(a.id);
    a.links.need(b.id, 'transfer 1');
    const [here] = await expectLinked(a, b);
    await b.links.stop();
    expect(here.signal.reason).toMatchObject({ code: 'shutting_down' });
    const b2 = await hub.peer(high, { timing: fast });
    b2.contacts.add(a.id);
    await expectLinked(a, b2);
    b2.links.need(a.id, 'transfer 1');
    expect(await a.links.disconnect(b.id)).toBe(true);
    expect(await a.links.disconnect(b.id)).toBe(false);
    await until(() => b2.events.length === 2);
    expect(b2.events[1]).toContain('disconnected');
    // Both need it, and neither dials: nothing may come up while the event loop turns for longer than any backoff.
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect([a.links.all(), b2.links.all()]).toEqual([[], []]);
    a.links.need(b.id, 'transfer 1');
    await expectLinked(a, b2);
    a.links.release(b.id, 'transfer 1');
    await b2.links.stop();
    await until(() => a.links.all().length === 0);
    expect(hub.subscribers).toBe(0);
  });

  test('disconnect ends what is still being tried too', async () => {
    const a = await hub.peer(low, { timing: fast });
    a.links.need(high.id, 'test');
    const connecting = failureOf(a.links.connect(high.id, soon()));
    expect(await a.links.disconnect(high.id)).toBe(false);
    expect(await connecting).toMatchObject({ code: 'disconnected' });
    expect(hub.subscribers).toBe(0);
    const b = await hub.peer(high, { timing: fast });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect([a.links.all(), hub.introductions]).toEqual([[], 0]);
    a.links.need(high.id, 'test');
    await expectLinked(a, b);
  });

  test('a peer that appears on the roster is dialled at once', async () => {
    const a = await hub.peer(low, { timing: { redial: { firstMs: 600_000, maxMs: 600_000 } } });
    a.links.need(high.id, 'test');
    const b = await hub.peer(high);
    await expectLinked(a, b);
    expect(hub.introductions).toBe(1);
  });

  test('a user that fails ends the link for both sides, with its reason', async () => {
    const [a, b] = [await hub.peer(low), await hub.peer(high)];
    b.onMessage = () => {
      throw new PeerdError('malformed_frame', 'I do not like it');
    };
    const link = await a.links.connect(b.id, soon());
    await link.send(hello('x'));
    await until(() => a.events.length === 2);
    expect([a.events[1], b.events[1]]).toEqual([`down ${b.id.slice(0, 4)} malformed_frame`, `down ${a.id.slice(0, 4)} malformed_frame`]);
    await expect(link.send(hello('y'))).rejects.toMatchObject({ code: 'malformed_frame', message: 'I do not like it' });
  });

  test('a busy user pauses reading, the sender waits, and the link lives', async () => {
    const [a, b] = [await hub.peer(low, { timing: fast }), await hub.peer(high, { timing: fast })];
    const busy = Promise.withResolvers<void>();
    let received = 0;
    b.onMessage = async () => {
      received += 1;
      await busy.promise;
    };
    const link = await a.links.connect(b.id, soon());
    const total = 4_000;
    let sent = 0;
    const sending = (async () => {
      for (; sent < total; sent += 1) await link.send(hello('x'.repeat(16_000)));
    })();
    // The sender stands still while the heart of both beats a few times.
    let last = -1;
    while (last !== sent) {
      last = sent;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    expect(sent).toBeLessThan(total);
    expect(received).toBe(1);
    expect([...a.events, ...b.events]).toHaveLength(2);
    busy.resolve();
    await sending;
    await until(() => received === total);
  });

  test('stop leaves no socket and no timer behind', async () => {
    const held = (): string[] => process.getActiveResourcesInfo().filter((resource) => /TCP|TLS|Timeout/.test(resource)).sort();
    const before = held();
    const [a, b] = [await hub.peer(low), await hub.peer(high)];
    await a.links.connect(b.id, soon());
    await expectLinked(a, b);
    expect(held().length).toBeGreaterThan(before.length);
    a.links.need(middle.id, 'test');
    const waiting = failureOf(a.links.connect(middle.id, new AbortController().signal));
    await Promise.all([a.links.stop(), b.links.stop()]);
    expect(await waiting).toMatchObject({ code: 'shutting_down' });
    expect(hub.subscribers).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    // What was held before may be gone by now: a timer of the test before this one, for example.
    for (const resource of new Set(held())) expect(held().filter((other) => other === resource).length).toBeLessThanOrEqual(before.filter((other) => other === resource).length);
    expect(await failureOf(a.links.connect(b.id, soon()))).toMatchObject({ code: 'shutting_down' });
  });
});
