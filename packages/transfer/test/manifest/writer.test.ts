import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeManifestPage, manifestMaxBytes, manifestMaxPages, manifestPageMaxBytes, type ManifestEntry, maxEntries } from '@peerd/protocol';
import { describe, expect, test } from 'vitest';
import { type AnnouncedManifest, Manifest, ManifestWriter } from '../../src/index.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { announcedOf, pagesOf } from '../support/manifests.ts';

const chunkSize = 64 * 1024;
const file = (name: string, size = 3): ManifestEntry => ({ path: [Buffer.from(name)], type: 'file', size, mode: 0o644, mtime: [1, 2] });
const entries = ['a', 'b', 'c', 'd'].map((name) => file(name));
const pages = pagesOf(entries, 2);
const announced = announcedOf(entries, pages);

const openWriter = async (change: Partial<AnnouncedManifest> = {}): Promise<{ writer: ManifestWriter; path: string; directory: string }> => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'manifest');
  return { writer: await ManifestWriter.open({ path, chunkSize, announced: { ...announced, ...change } }), path, directory };
};

const page = (index: number): Buffer => pages[index] ?? Buffer.alloc(0);

describe('ManifestWriter', () => {
  test('takes pages in order and nothing else', async () => {
    const { writer, path } = await openWriter();
    expect(writer.nextPage).toBe(0);
    await expect(writer.append(1, page(1))).rejects.toMatchObject({ code: 'malformed_frame' });
    await writer.append(0, page(0));
    expect(writer.nextPage).toBe(1);
    await expect(writer.append(0, page(0))).rejects.toMatchObject({ code: 'malformed_frame' });
    await writer.append(1, page(1));
    expect(await writer.finish()).toEqual({ ...announced, chunks: 4 });
    await (await Manifest.open(path, chunkSize)).close();
  });

  test('an incomplete file of before is thrown away', async () => {
    const { writer, path } = await openWriter();
    await writer.append(0, page(0));
    const again = await ManifestWriter.open({ path, chunkSize, announced });
    expect(again.nextPage).toBe(0);
    for (const [index, each] of pages.entries()) await again.append(index, each);
    await again.finish();
    await (await Manifest.open(path, chunkSize)).close();
  });

  test('discard leaves nothing', async () => {
    const { writer, directory } = await openWriter();
    await writer.append(0, page(0));
    await writer.discard();
    await writer.discard();
    expect(await readdir(directory)).toEqual([]);
  });

  test.each([
    ['entries', { entries: 3 }],
    ['bytes', { bytes: announced.bytes - 1 }],
    ['pages', { pages: 1 }],
    ['manifestBytes', { manifestBytes: announced.manifestBytes - 1 }],
  ])('not one of %s more than announced is taken', async (what, less) => {
    const { writer } = await openWriter(less);
    await writer.append(0, page(0));
    await expect(writer.append(1, page(1))).rejects.toMatchObject({ code: 'manifest_invalid', message: expect.stringContaining(what) as unknown });
  });

  test.each([
    ['entries', { entries: 5 }],
    ['bytes', { bytes: announced.bytes + 1 }],
    ['pages', { pages: 3 }],
    ['manifestBytes', { manifestBytes: announced.manifestBytes + 1 }],
    ['hash', { offerRoot: Buffer.alloc(32) }],
  ])('nothing is finished with other %s than announced', async (what, more) => {
    const { writer, path } = await openWriter(more);
    for (const [index, each] of pages.entries()) await writer.append(index, each);
    await expect(writer.finish()).rejects.toMatchObject({ code: 'manifest_invalid', message: expect.stringContaining(what) as unknown });
    await expect(Manifest.open(path, chunkSize)).rejects.toMatchObject({ code: 'manifest_invalid' });
  });

  test.each([
    ['garbage', Buffer.from('garbage'), 'malformed_frame'],
    ['too long', Buffer.alloc(manifestPageMaxBytes + 1), 'malformed_frame'],
    ['a path that leaves', encodeManifestPage([file('..')]), 'manifest_invalid'],
    ['two of one name', encodeManifestPage([file('a'), file('a')]), 'manifest_invalid'],
  ])('a page is refused: %s', async (_, bad, code) => {
    const { writer } = await openWriter();
    await expect(writer.append(0, bad)).rejects.toMatchObject({ code });
    expect(writer.nextPage).toBe(0);
  });

  test('the order is checked across pages', async () => {
    const { writer } = await openWriter();
    await writer.append(0, page(0));
    await expect(writer.append(1, page(0))).rejects.toMatchObject({ code: 'manifest_invalid' });
  });

  test.each([[{ entries: maxEntries + 1 }], [{ manifestBytes: manifestMaxBytes + 1 }], [{ pages: manifestMaxPages + 1 }]])('too large is refused before a page came: %j', async (more) => {
    await expect(openWriter(more)).rejects.toMatchObject({ code: 'manifest_too_large' });
  });
});
