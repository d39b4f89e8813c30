import { open, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ManifestEntry } from '@peerd/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Manifest } from '../../src/index.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { announcedOf, entriesArbitrary, pagesOf, storeManifest } from '../support/manifests.ts';

const chunkSize = 64 * 1024;
const buffers = (entry: ManifestEntry): ManifestEntry => ({ ...entry, path: entry.path.map((part) => Buffer.from(part)) });

const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

describe('Manifest', () => {
  test('gives back any tree, by entry, by page and by chunk', async () => {
    const directory = await temporaryDirectory();
    await fc.assert(
      fc.asyncProperty(entriesArbitrary, fc.integer({ min: 1, max: 6 }), fc.nat(30), fc.nat(30), async (entries, perPage, from, limit) => {
        const manifest = await storeManifest(directory, entries, chunkSize, perPage);
        try {
          let firstChunk = 0;
          const expected = entries.map((entry, index) => {
            const first = firstChunk;
            firstChunk += Math.ceil(entry.size / chunkSize);
            return { index, entry: buffers(entry), firstChunk: first };
          });
          const pages = pagesOf(entries, perPage);
          expect(manifest.summary).toEqual({ ...announcedOf(entries, pages), chunks: firstChunk });
          for (const [index, page] of pages.entries()) expect(await manifest.page(index)).toEqual(page);
          expect(await collect(manifest.entries())).toEqual(expected);
          expect(await collect(manifest.entries(from, limit))).toEqual(expected.slice(from, from + limit));
          expect(await collect(manifest.topLevel())).toEqual(expected.filter(({ entry }) => entry.path.length === 1).map(({ index, entry }) => ({ index, entry })));
          for (const indexed of expected) {
            expect(await manifest.entry(indexed.index)).toEqual(indexed);
            const chunks = Math.ceil(indexed.entry.size / chunkSize);
            if (chunks === 0) continue;
            expect(await manifest.fileOfChunk(indexed.firstChunk)).toEqual(indexed);
            expect(await manifest.fileOfChunk(indexed.firstChunk + chunks - 1)).toEqual(indexed);
          }
          await expect(manifest.fileOfChunk(firstChunk)).rejects.toMatchObject({ code: 'malformed_frame' });
          await expect(manifest.entry(entries.length)).rejects.toMatchObject({ code: 'not_found' });
          await expect(manifest.page(pages.length)).rejects.toMatchObject({ code: 'not_found' });
        } finally {
          await manifest.close();
        }
      }),
      { numRuns: 60 },
    );
  });

  test('finds files by chunks of one page in any order', async () => {
    const directory = await temporaryDirectory();
    await fc.assert(
      fc.asyncProperty(entriesArbitrary, fc.array(fc.nat(), { maxLength: 40 }), async (entries, order) => {
        const manifest = await storeManifest(directory, entries, chunkSize, 7);
        try {
          const { chunks } = manifest.summary;
          if (chunks === 0) return;
          let files = await manifest.filesFrom(0);
          for (const chunk of order.map((number) => number % chunks)) {
            if (!files.has(chunk)) files = await manifest.filesFrom(chunk);
            const { entry: { size }, firstChunk } = files.of(chunk);
            expect(chunk >= firstChunk && chunk < firstChunk + Math.ceil(size / chunkSize)).toBe(true);
          }
        } finally {
          await manifest.close();
        }
      }),
      { numRuns: 60 },
    );
  });

  const entry: ManifestEntry = { path: [Buffer.from('a')], type: 'file', size: 5, mode: 0o644, mtime: [1, 2] };

  test('a file that is cut off anywhere, damaged, or of another chunk size is not opened', async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'manifest');
    await (await storeManifest(directory, [entry], chunkSize)).close();
    const whole = await readFile(path);
    await expect(Manifest.open(path, 2 * chunkSize)).rejects.toMatchObject({ code: 'manifest_invalid' });
    for (let length = 0; length < whole.length; length += 7) {
      await truncate(path, length);
      await expect(Manifest.open(path, chunkSize)).rejects.toMatchObject({ code: 'manifest_invalid' });
      await writeFile(path, whole);
    }
    const damaged = Buffer.from(whole);
    damaged[whole.length - 100] = (damaged[whole.length - 100] ?? 0) ^ 1;
    await writeFile(path, damaged);
    await expect(Manifest.open(path, chunkSize)).rejects.toMatchObject({ code: 'manifest_invalid' });
    await expect(Manifest.open(join(directory, 'none'), chunkSize)).rejects.toMatchObject({ code: 'io_error' });
  });

  test('a damaged page is noticed when it is read', async () => {
    const directory = await temporaryDirectory();
    const manifest = await storeManifest(directory, [entry], chunkSize);
    const file = await open(join(directory, 'manifest'), 'r+');
    await file.write(Buffer.from([0xff]), 0, 1, 40);
    await file.close();
    await expect(manifest.page(0)).rejects.toMatchObject({ code: 'manifest_invalid' });
    await manifest.close();
  });
});
