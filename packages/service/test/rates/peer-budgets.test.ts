import type { PeerId } from '@peerd/protocol';
import { expect, test } from 'vitest';
import { PeerBudgets } from '../../src/rates/peer-budgets.ts';

const peer = (index: number): PeerId => `p${index}`;

test('the budget of a key outlives its connections, and is whole after a while', () => {
  const budgets = new PeerBudgets({ burst: 20, perSecond: 2 });
  expect([budgets.take(peer(1), 0, 10), budgets.take(peer(1), 0, 10), budgets.take(peer(1), 0, 10)]).toEqual([true, true, false]);
  // Another one has its own.
  expect(budgets.take(peer(2), 0, 10)).toBe(true);
  expect([budgets.take(peer(1), 4_999, 10), budgets.take(peer(1), 5_000, 10)]).toEqual([false, true]);
  expect([budgets.take(peer(1), 60_000, 20), budgets.take(peer(1), 60_000)]).toEqual([true, false]);
});

test('those that are whole are forgotten, and no more than a bound are kept', () => {
  const budgets = new PeerBudgets({ burst: 20, perSecond: 2 });
  for (let index = 0; index < 100; index += 1) budgets.take(peer(index), index);
  expect(budgets.kept).toBe(100);
  budgets.take(peer(1_000), 10_050);
  expect(budgets.kept).toBe(50);
  for (let index = 0; index < 20_000; index += 1) budgets.take(peer(index), 20_000);
  expect(budgets.kept).toBe(16_384);
});
