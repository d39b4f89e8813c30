import { expect, test } from 'vitest';
import { DialBudget } from '../../src/peer/dial-budget.ts';
import { identities } from '../support.ts';
import { Hub } from './hub.ts';

test('so many at once, then so many a second; who asks in vain owes nothing', () => {
  let now = 0;
  const budget = new DialBudget({ burst: 3, perSecond: 2 }, () => now);
  const takes = (count: number): number => Array.from({ length: count }, () => budget.take()).filter(Boolean).length;
  expect(takes(100)).toBe(3);
  now = 499;
  expect(takes(100)).toBe(0);
  now = 500;
  expect(takes(100)).toBe(1);
  now = 60_000;
  expect(takes(100)).toBe(3);
});

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
