import type { PeerId } from '@peerd/protocol';
import { expect, test } from 'vitest';
import { Comings } from '../../src/peer/comings.ts';

const peer = (index: number): PeerId => `p${index}`;

test('a peer comes 60 times at once, then once in a second; what is refused costs it nothing, and others nothing', () => {
  let now = 0;
  const comings = new Comings(() => now);
  const come = (id: PeerId, times: number): number => Array.from({ length: times }, () => comings.mayCome(id)).filter(Boolean).length;
  expect([come(peer(1), 500), come(peer(2), 1)]).toEqual([60, 1]);
  now = 999;
  expect(come(peer(1), 500)).toBe(0);
  now = 3_000;
  expect(come(peer(1), 500)).toBe(3);
  now = 1_000_000;
  expect(come(peer(1), 500)).toBe(60);
});

test('no more than 4,096 are remembered', () => {
  const comings = new Comings(() => 0);
  for (let count = 0; count < 60; count += 1) comings.mayCome(peer(0));
  for (let index = 1; index < 4_096; index += 1) comings.mayCome(peer(index));
  expect(comings.mayCome(peer(0))).toBe(false);
  comings.mayCome(peer(4_096));
  expect(comings.mayCome(peer(0))).toBe(true);
});
