import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EntryBatch, unpackEntries } from '../../src/thread/entry-batch.ts';

const componentArbitrary = fc.uint8Array({ minLength: 1, maxLength: 255 }).map((bytes) => Buffer.from(bytes));

test('what was packed comes out again', () => {
  const entryArbitrary = fc.record({
    path: fc.array(componentArbitrary, { minLength: 1, maxLength: 6 }),
    type: fc.constantFrom('file' as const, 'directory' as const, 'symlink' as const),
    size: fc.nat(Number.MAX_SAFE_INTEGER),
    mode: fc.nat(0o777),
    mtime: fc.tuple(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), fc.nat(999_999_999)),
    target: fc.uint8Array({ minLength: 1, maxLength: 4_095 }).map((bytes) => Buffer.from(bytes)),
    inode: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    flag: fc.nat(255),
  });
  fc.assert(
    fc.property(fc.array(entryArbitrary, { maxLength: 20 }), (entries) => {
      const expected = entries.map(({ target, ...entry }) => (entry.type === 'symlink' ? { ...entry, target } : entry));
      const batch = new EntryBatch();
      for (const { inode, flag, ...entry } of expected) batch.add(entry, inode, flag);
      expect(batch.count).toBe(entries.length);
      expect([...unpackEntries(batch.take())]).toEqual(expected);
      expect(batch.count).toBe(0);
    }),
  );
});
