/**
 * A path with everything in it as a tar archive, for a daemon that may not read it. Each byte of a name is one character
 * U+0000 to U+00FF, so that names which are not UTF-8 arrive as they are. What can't be read here either is left out.
 */
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink } from 'node:fs/promises';
import type { SkippedEntry } from '@peerd/protocol';
import { escapeBytes } from '@peerd/protocol/escape';
import { PeerdError } from '@peerd/protocol/errors';
import { type FilterPatterns, PathFilter } from '@peerd/protocol/path-filter';
import { type Pack, pack } from 'tar-stream';

/** What did not get into the archive. */
export interface LeftBehind {
  readonly skipped: SkippedEntry[];
  /** By the patterns. */
  leftOut: number;
}

const maxSkipped = 100;
const readBytes = 256 * 1024;
const slash = Buffer.from('/');

interface Item {
  readonly path: Buffer;
  /** From the top-level name down. */
  readonly components: readonly Buffer[];
  readonly isWanted: boolean;
}

/** @throws PeerdError `source_changed`, `source_missing`, errors of the top-level entry */
export const packTree = (path: string, patterns: FilterPatterns, left: LeftBehind): AsyncIterable<Uint8Array> => {
  const archive = pack();
  const filter = new PathFilter(patterns);
  const top = Buffer.from(path);
  const run = async (): Promise<void> => {
    await addItem({ path: top, components: [top.subarray(top.lastIndexOf('/') + 1)], isWanted: !filter.isSelective }, { archive, filter, left });
    archive.finalize();
  };
  run().catch((error: unknown) => archive.destroy(error as Error));
  return archive as AsyncIterable<Uint8Array>;
};

interface Packing {
  readonly archive: Pack;
  readonly filter: PathFilter;
  readonly left: LeftBehind;
}

/** Depth first, a directory before what is in it. */
const addItem = async (item: Item, packing: Packing): Promise<void> => {
  const { archive, filter, left } = packing;
  const stat = await lstat(item.path, { bigint: true });
  const names = item.components.map((component) => component.toString());
  const isDirectory = stat.isDirectory();
  const isWanted = item.isWanted || filter.includes(names, isDirectory);
  if (filter.excludes(names, isDirectory) || (!isWanted && !isDirectory)) {
    left.leftOut += 1;
    return;
  }
  const name = Buffer.concat(item.components.flatMap((component, index) => (index === 0 ? [component] : [slash, component]))).toString('latin1');
  const header = { name, mode: Number(stat.mode & 0o777n), mtime: new Date(Number(stat.mtimeMs)), pax: { mtime: seconds(stat) } };
  if (stat.isFile()) return addFile(item.path, header, archive);
  if (stat.isSymbolicLink()) {
    const linkname = (await readlink(item.path, { encoding: 'buffer' })).toString('latin1');
    return entry(archive, { ...header, type: 'symlink', linkname });
  }
  if (!isDirectory) return skip(left, item.path, 'special_file', 'a special file is not sent');
  const children = await readdir(item.path, { encoding: 'buffer' });
  await entry(archive, { ...header, type: 'directory' });
  for (const child of children.sort((one, other) => Buffer.compare(one, other))) {
    const path = Buffer.concat([item.path, slash, child]);
    try {
      await addItem({ path, components: [...item.components, child], isWanted }, packing);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      // Neither the daemon nor this process may read it, or it has just gone.
      if (error instanceof PeerdError || code === undefined || archive.destroyed) throw error;
      skip(left, path, 'source_unreadable', `it can't be read (${code})`);
    }
  }
};

type Header = Parameters<Pack['entry']>[0];

const entry = (archive: Pack, header: Header): Promise<void> =>
  new Promise((resolve, reject) => {
    archive.entry(header, (error) => (error ? reject(error) : resolve()));
  });

/** So many bytes as it had when it was opened; what is appended meanwhile is not sent. */
const addFile = async (path: Buffer, header: Header, archive: Pack): Promise<void> => {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = await file.stat();
    const stored = Promise.withResolvers<void>();
    const sink = archive.entry({ ...header, type: 'file', size }, (error) => (error ? stored.reject(error) : stored.resolve()));
    stored.promise.catch(() => {});
    for await (const part of contentOf(file, size, path)) if (!sink.write(part)) await Promise.race([new Promise<void>((resolve) => sink.once('drain', () => resolve())), stored.promise]);
    sink.end(null);
    await stored.promise;
  } finally {
    await file.close();
  }
};

async function* contentOf(file: FileHandle, size: number, path: Buffer): AsyncGenerator<Buffer> {
  for (let position = 0; position < size; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(readBytes, size - position)), { position });
    if (bytesRead === 0) throw new PeerdError('source_changed', `"${escapeBytes(path)}" became shorter while it was read`, { hint: 'Send it again when nothing writes to it.' });
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

const seconds = ({ mtimeNs }: BigIntStats): string => {
  const fraction = ((mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return `${((mtimeNs - fraction) / 1_000_000_000n).toString()}.${fraction.toString().padStart(9, '0')}`;
};

const skip = (left: LeftBehind, path: Buffer, code: string, message: string): void => {
  if (left.skipped.length < maxSkipped) left.skipped.push({ path: escapeBytes(path), code, message });
};
