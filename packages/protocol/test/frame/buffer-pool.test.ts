import { expect, test } from 'vitest';
import { BufferPool } from '../../src/frame/buffer-pool.ts';

test('what was given back is taken again, up to the bound; anything of another size is not kept', () => {
  const pool = new BufferPool(100, 2);
  const [a, b, c] = [pool.take(), pool.take(), pool.take()];
  expect(new Set([a, b, c].map(({ buffer }) => buffer)).size).toBe(3);
  pool.give(Buffer.alloc(99));
  for (const buffer of [a, b, c]) pool.give(buffer);
  const again = [pool.take(), pool.take(), pool.take()];
  expect(again.map(({ length }) => length)).toEqual([100, 100, 100]);
  expect(again.slice(0, 2)).toEqual([b, a]);
  expect(again[0]).toBe(b);
  expect(again[1]).toBe(a);
  expect(again[2]).not.toBe(c);
});
