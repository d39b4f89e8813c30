import { decodeManifestPage, manifestPageMaxBytes, manifestPageMaxEntries, type ManifestEntry } from '@peerd/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { entriesArbitrary, pagesOf } from '../support/manifests.ts';

test('pages hold all entries in order, within the bounds', () => {
  fc.assert(
    fc.property(entriesArbitrary, fc.integer({ min: 1, max: 400 }), (entries, times) => {
      const many = Array.from({ length: times }, () => entries).flat();
      const pages = pagesOf(many);
      const decoded = pages.map((page) => decodeManifestPage(page));
      for (const page of pages) expect(page.length).toBeLessThanOrEqual(manifestPageMaxBytes);
      for (const page of decoded) expect(page.length).toBeLessThanOrEqual(manifestPageMaxEntries);
      expect(decoded.flat().length).toBe(many.length);
    }),
    { numRuns: 20 },
  );
});

test('the longest paths still fit', () => {
  const path = Array.from({ length: 256 }, () => Buffer.alloc(255, 0x61));
  const entry: ManifestEntry = { path, type: 'symlink', size: 0, mode: 0o777, mtime: [-(2 ** 53) + 1, 999_999_999], target: Buffer.alloc(4_095, 0x62) };
  const pages = pagesOf(Array.from({ length: 9 }, () => entry));
  expect(pages.length).toBe(3);
  for (const page of pages) expect(page.length).toBeLessThanOrEqual(manifestPageMaxBytes);
});
