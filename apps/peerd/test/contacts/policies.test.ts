import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadPolicies, type Policies } from '../../src/contacts/policies.ts';
import { openDatabase } from '../../src/database/database.ts';

const bob = 'b'.repeat(52);
const peer = { id: bob, name: 'bob' };
const transfer = (digit: number): string => `01kagtm500000000000000000${digit}`;
const bounded = { into: '/srv/in\u202e', maxBytes: 100, match: undefined, until: undefined };

const setup = async (): Promise<() => Promise<Policies>> => {
  const stateDir = await mkdtemp(join(tmpdir(), 'peerd-policies-'));
  const database = await openDatabase({ stateDir, onLoss: () => {}, onFailure: () => {} });
  onTestFinished(async () => {
    await database.close();
    await rm(stateDir, { recursive: true });
  });
  return () => loadPolicies({ database, fallback: 'ask', now: () => 1_000 });
};

test('a policy, what was used of it and what is reserved outlive a restart', async () => {
  const load = await setup();
  const policies = await load();
  expect(policies.view(bob, 'new')).toEqual({ kind: 'ask', own: false });
  await policies.set(peer, 'auto', bounded);
  await policies.reserve(bob, transfer(1), 60);
  await policies.reserve(bob, transfer(2), 30);
  await policies.settle(bob, transfer(1), 50);
  const shown = { kind: 'auto', own: true, grant: { into: '/srv/in\\u{202e}', maxBytes: 100, usedBytes: 80 } };
  for (const each of [policies, await load()]) {
    expect(each.view(bob, 'pinned')).toEqual(shown);
    expect(each.peers()).toEqual([peer]);
    expect(each.reservations()).toEqual([{ peer: bob, transfer: transfer(2) }]);
    expect(each.judge(bob, 'pinned', { bytes: 21, names: [], cut: false }).kind).toBe('ask');
    expect(each.judge(bob, 'pinned', { bytes: 20, names: [], cut: false })).toEqual({ kind: 'auto', into: '/srv/in\u202e' });
  }
});

test('settled once, however often it is said; what was not delivered is given back', async () => {
  const load = await setup();
  const policies = await load();
  await policies.set(peer, 'auto', bounded);
  await policies.reserve(bob, transfer(1), 60);
  await policies.settle(bob, transfer(1), 0);
  await policies.settle(bob, transfer(1), 60);
  for (const each of [policies, await load()]) expect(each.view(bob, 'pinned')).toMatchObject({ grant: { usedBytes: 0 } });
});

test('a new policy begins anew, and a reservation of the old one does not count in it', async () => {
  const load = await setup();
  const policies = await load();
  await policies.set(peer, 'auto', bounded);
  await policies.reserve(bob, transfer(1), 60);
  await policies.set(peer, 'auto', { ...bounded, maxBytes: 10 });
  await policies.settle(bob, transfer(1), 60);
  for (const each of [policies, await load()]) expect(each.view(bob, 'pinned')).toMatchObject({ kind: 'auto', grant: { maxBytes: 10, usedBytes: 0 } });
  await policies.set(peer, 'block', undefined);
  for (const each of [policies, await load()]) expect(each.isBlocked(bob)).toBe(true);
  await policies.clear(bob);
  for (const each of [policies, await load()]) expect(each.view(bob, 'pinned')).toEqual({ kind: 'ask', own: false });
});
