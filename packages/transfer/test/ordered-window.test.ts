import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OrderedWindow } from '../src/ordered-window.ts';

test('pieces come out in order, whatever finishes first, and never more than the limit is held', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.nat(5)), { maxLength: 40 }), async (pieces) => {
      const out: number[] = [];
      let held = 0;
      let most = 0;
      const window = new OrderedWindow<number>(100, async (piece) => {
        await Promise.resolve();
        out.push(piece);
        held -= pieces[piece]?.[0] ?? 0;
      });
      for (const [index, [bytes, turns]] of pieces.entries())
        await window.add(bytes, async () => {
          held += bytes;
          most = Math.max(most, held);
          for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
          return index;
        });
      await window.drained();
      expect(out).toEqual(pieces.map((_, index) => index));
      expect(most).toBeLessThanOrEqual(100);
    }),
  );
});

test('one piece larger than the limit passes alone', async () => {
  const out: string[] = [];
  const window = new OrderedWindow<string>(10, async (piece) => void out.push(piece));
  await window.add(25, async () => 'large');
  await window.add(1, async () => 'small');
  await window.drained();
  expect(out).toEqual(['large', 'small']);
});

test('after the first error nothing goes out, and everybody hears of it', async () => {
  const out: number[] = [];
  const window = new OrderedWindow<number>(1, async (piece) => void out.push(piece));
  await window.add(1, async () => 1);
  await window.add(1, async () => {
    throw new Error('first');
  });
  await expect(window.add(1, async () => 3)).rejects.toThrow('first');
  await expect(window.drained()).rejects.toThrow('first');
  expect(out).toEqual([1]);
});
