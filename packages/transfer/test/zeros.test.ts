import { expect, test } from 'vitest';
import { hash } from '../src/hashing.ts';
import { Zeros } from '../src/zeros.ts';

test('hash and content of so many zeros, and nothing else is taken for them', () => {
  const zeros = new Zeros(1_000);
  for (const length of [1, 999, 1_000]) {
    expect(zeros.content(length)).toEqual(Buffer.alloc(length));
    expect(zeros.hash(length)).toEqual(hash(Buffer.alloc(length)));
    expect(zeros.isWhole(zeros.hash(length))).toBe(length === 1_000);
    expect(zeros.are(Buffer.alloc(length))).toBe(true);
    for (const at of [0, length - 1]) {
      const other = Buffer.alloc(length);
      other[at] = 1;
      expect(zeros.are(other)).toBe(false);
    }
  }
});
