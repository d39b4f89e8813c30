import { expect, test } from 'vitest';
import { StrangerRoom } from '../../src/peer/stranger-room.ts';

test('of too many, those that are here longest give way, and what was given back counts no more', () => {
  const room = new StrangerRoom(100);
  const gone: string[] = [];
  const take = (name: string, bytes: number): (() => void) => room.take(bytes, () => gone.push(name));
  take('a', 40);
  const b = take('b', 40);
  take('c', 20);
  expect(gone).toEqual([]);
  take('d', 10);
  expect(gone).toEqual(['a']);
  b();
  b();
  take('e', 70);
  expect(gone).toEqual(['a']);
  // One that is larger than all of it is alone.
  take('f', 200);
  expect(gone).toEqual(['a', 'c', 'd', 'e']);
});
