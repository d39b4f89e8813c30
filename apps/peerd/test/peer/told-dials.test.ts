import { expect, test } from 'vitest';
import { identities } from '../support.ts';
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
