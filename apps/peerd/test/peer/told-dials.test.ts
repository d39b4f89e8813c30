import { expect, test } from 'vitest';
import { failureOf, identities } from '../support.ts';
import { Hub } from './hub.ts';

test('addresses that others told count, known ones do not', async () => {
  const hub = new Hub();
  const [low, , high] = await identities();
  const timing = { toldDials: { burst: 0, perSecond: 1e-6 }, redial: { firstMs: 20, maxMs: 20 } };
  const [a, b] = [await hub.peer(low, { timing }), await hub.peer(high, { timing })];
  const connecting = a.links.connect(b.id, AbortSignal.timeout(20_000));
  await expect.poll(() => a.registry.metrics()).toMatch(/peerd_dials_total\{outcome="rate_limited"\} [1-9]/);
  expect(a.links.get(b.id)).toBeUndefined();
  a.known.set(b.id, [b.links.address]);
  expect((await connecting).dialled).toBe(true);
});

test('who spends the rate of introductions parts nobody from a peer that is wanted here', async () => {
  const hub = new Hub();
  const [low, middle, high] = await identities();
  const timing = { toldDials: { burst: 1, perSecond: 1e-6 }, redial: { firstMs: 20, maxMs: 20 } };
  // Without an address of its own it is not dialled by the other one.
  const [a, b] = [await hub.peer(low, { timing, reachable: false }), await hub.peer(high)];
  const told = { id: middle.id, name: 'scan', addresses: [{ host: '127.0.0.1', port: 1, kind: 'host' as const }], epoch: 1 };
  expect(await a.links.introduced(told, true)).toBe('accepted');
  await expect.poll(() => a.registry.metrics()).toMatch(/peerd_dials_total\{outcome="rate_limited"\} [1-9]/);
  expect((await a.links.connect(b.id, AbortSignal.timeout(10_000))).dialled).toBe(true);
});

test('a roster that changes all the time brings another round each time, and no more dials', async () => {
  const hub = new Hub();
  const [low, , high] = await identities();
  const a = await hub.peer(low, { reachable: false, timing: { toldDials: { burst: 5, perSecond: 1e-6 }, redial: { firstMs: 20, maxMs: 20 } } });
  const gone = await hub.peer(high);
  const controller = new AbortController();
  hub.list(gone, [{ host: '127.0.0.1', port: 1 }]);
  const connecting = failureOf(a.links.connect(gone.id, controller.signal));
  for (let port = 2; port < 20; port += 1) {
    const before = sum(await a.registry.metrics());
    hub.list(gone, [{ host: '127.0.0.1', port }]);
    await expect.poll(async () => sum(await a.registry.metrics())).toBeGreaterThan(before);
  }
  const made = (await a.registry.metrics()).replaceAll(/^peerd_dials_total\{outcome="rate_limited"\}.*$/gm, '');
  expect(sum(made)).toBe(5);
  controller.abort();
  expect(await connecting).toMatchObject({ code: 'peer_unreachable' });
});

/** Dials of every outcome. */
const sum = (metrics: string): number => [...metrics.matchAll(/^peerd_dials_total\{[^}]*\} (\d+)$/gm)].reduce((total, [, count]) => total + Number(count), 0);
