/** Manifests from nothing but imagination. */
import { join } from 'node:path';
import type { ManifestEntry } from '@peerd/protocol';
import fc from 'fast-check';
import { hash } from '../../src/hashing.ts';
import { PageBuilder } from '../../src/manifest/page-builder.ts';
import { ManifestWriter, type AnnouncedManifest, Manifest } from '../../src/index.ts';

interface Node {
  readonly entry: Omit<ManifestEntry, 'path'>;
  readonly children: ReadonlyMap<string, Node>;
}

const nameArbitrary = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((raw) => Buffer.from(raw.map((byte) => (byte === 0 || byte === 0x2f ? 0x61 : byte))).toString('latin1'))
  .filter((name) => name !== '.' && name !== '..');

const commonArbitrary = { mode: fc.nat(0o777), mtime: fc.tuple(fc.integer({ min: -(2 ** 33), max: 2 ** 33 }), fc.nat(999_999_999)) };
const fileArbitrary = fc.record({ type: fc.constant('file' as const), size: fc.oneof(fc.nat(300_000), fc.nat(2 ** 40)), ...commonArbitrary });
const linkArbitrary = fc.record({ type: fc.constant('symlink' as const), size: fc.constant(0), target: nameArbitrary.filter((name) => !name.includes('..')).map((name) => Buffer.from(name, 'latin1')), ...commonArbitrary });
const directoryArbitrary = fc.record({ type: fc.constant('directory' as const), size: fc.constant(0), ...commonArbitrary });

const { nodes } = fc.letrec<{ nodes: ReadonlyMap<string, Node>; node: Node }>((tie) => ({
  nodes: fc.array(fc.tuple(nameArbitrary, tie('node')), { maxLength: 8 }).map((pairs) => new Map(pairs)),
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fileArbitrary.map((entry): Node => ({ entry, children: new Map() })),
    linkArbitrary.map((entry): Node => ({ entry, children: new Map() })),
    fc.tuple(directoryArbitrary, tie('nodes')).map(([entry, children]): Node => ({ entry, children })),
  ),
}));

const flatten = (children: ReadonlyMap<string, Node>, above: Buffer[]): ManifestEntry[] =>
  [...children]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, node]) => {
      const path = [...above, Buffer.from(name, 'latin1')];
      return [{ ...node.entry, path }, ...flatten(node.children, path)];
    });

/** Legal entries in manifest order, at least one. */
export const entriesArbitrary: fc.Arbitrary<ManifestEntry[]> = nodes.map((children) => flatten(children, [])).filter((entries) => entries.length > 0);

/** Splits into pages as a sender may: full ones, or shorter. */
export const pagesOf = (entries: readonly ManifestEntry[], perPage = Number.POSITIVE_INFINITY): Buffer[] => {
  const builder = new PageBuilder();
  const pages: Buffer[] = [];
  for (const [index, entry] of entries.entries()) {
    const flushed = index > 0 && index % perPage === 0 ? builder.flush() : undefined;
    const full = builder.add(entry, 0n);
    for (const built of [flushed, full]) if (built !== undefined) pages.push(built.page);
  }
  const last = builder.flush();
  return last === undefined ? pages : [...pages, last.page];
};

export const announcedOf = (entries: readonly ManifestEntry[], pages: readonly Buffer[]): AnnouncedManifest => ({
  entries: entries.length,
  bytes: entries.reduce((sum, { size }) => sum + size, 0),
  pages: pages.length,
  manifestBytes: pages.reduce((sum, page) => sum + page.length, 0),
  offerRoot: hash(Buffer.concat(pages.map(hash))),
});

/** Through the receiver's writer, and opened. */
export const storeManifest = async (directory: string, entries: readonly ManifestEntry[], chunkSize: number, perPage?: number): Promise<Manifest> => {
  const pages = pagesOf(entries, perPage);
  const path = join(directory, 'manifest');
  const writer = await ManifestWriter.open({ path, chunkSize, announced: announcedOf(entries, pages) });
  for (const [index, page] of pages.entries()) await writer.append(index, page);
  await writer.finish();
  return Manifest.open(path, chunkSize);
};
