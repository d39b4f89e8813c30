/**
 * Walks sources in manifest order and reads metadata only. Nothing but directories is opened, so a FIFO never blocks and
 * a device is never touched.
 */
import { accessSync, type BigIntStats, closeSync, constants, fstatSync, lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { BatchError } from './batch-error.ts';
import { inDirectory, openDirectory } from './directory-cursor.ts';
import type { BatchEntry } from './entry-batch.ts';

export interface WalkRoot {
  readonly name: Buffer;
  /** Absolute, without trailing slash. */
  readonly source: Buffer;
}

export interface WalkSkip {
  readonly path: Buffer;
  readonly code: 'special_file' | 'source_unreadable';
  readonly message: string;
}

export type WalkStep = { readonly entry: BatchEntry } | { readonly skip: WalkSkip };

/** As deep as a manifest path may be. */
const maxDepth = 256;

interface OpenLevel {
  readonly fd: number;
  readonly components: Buffer[];
  /** Path for people. */
  readonly path: Buffer;
  /** Names as latin1: one byte per character, sorted as bytes sort. */
  readonly names: string[];
  next: number;
}

/** A source as a person gave it: `dir/` and `dir/.` name the directory itself, even behind a symbolic link. */
export const resolveRoot = (given: Buffer, workingDirectory: Buffer): WalkRoot => {
  const text = given.toString('latin1');
  const absolute = text.startsWith('/') ? text : `${workingDirectory.toString('latin1')}/${text}`;
  const bare = withoutTrailingSlash(absolute);
  const base = bare.slice(bare.lastIndexOf('/') + 1);
  if (base !== '' && base !== '.' && base !== '..' && bare === absolute) return { name: latin1(base), source: latin1(bare) };
  const real = realpathSync.native(latin1(absolute), 'buffer');
  if (!lstatSync(real).isDirectory()) throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' });
  const realBase = real.subarray(real.lastIndexOf('/') + 1);
  return { name: base === '' || base === '.' || base === '..' ? realBase : latin1(base), source: real };
};

export class TreeWalk {
  readonly #levels: OpenLevel[] = [];
  readonly #roots: Iterator<WalkRoot & { position: number }>;

  constructor(roots: readonly WalkRoot[]) {
    const positioned = roots.map((root, position) => ({ ...root, position }));
    this.#roots = positioned.sort((a, b) => Buffer.compare(a.name, b.name)).values();
  }

  /** The next entry or skipped path; `undefined` at the end. @throws BatchError with the position of a root that can't be read */
  next(): WalkStep | undefined {
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      const name = level.names[level.next];
      if (name === undefined) {
        closeSync(level.fd);
        this.#levels.pop();
        continue;
      }
      level.next += 1;
      const component = latin1(name);
      const shown = Buffer.concat([level.path, latin1('/'), component]);
      try {
        return this.#visit(inDirectory(level.fd, component), [...level.components, component], shown);
      } catch (error) {
        return { skip: { path: shown, code: 'source_unreadable', message: systemMessage(error) } };
      }
    }
    const root = this.#roots.next();
    if (root.done === true) return undefined;
    const { name, source, position } = root.value;
    try {
      return this.#visit(source, [name], source);
    } catch (error) {
      throw new BatchError(error, position);
    }
  }

  close(): void {
    for (const level of this.#levels.splice(0)) closeSync(level.fd);
  }

  #visit(path: Buffer, components: Buffer[], shown: Buffer): WalkStep {
    const stat = lstatSync(path, { bigint: true });
    if (stat.isFile()) {
      accessSync(path, constants.R_OK);
      return { entry: { ...common(stat, components), type: 'file', size: Number(stat.size) } };
    }
    if (stat.isSymbolicLink()) return { entry: { ...common(stat, components), type: 'symlink', target: readlinkSync(path, 'buffer') } };
    if (!stat.isDirectory()) return { skip: { path: shown, code: 'special_file', message: `a ${kindOf(stat)} is not sent` } };
    if (components.length >= maxDepth) return { skip: { path: shown, code: 'source_unreadable', message: `directories nested deeper than ${maxDepth} levels are not sent` } };
    this.#open(path, stat, components, shown);
    return { entry: { ...common(stat, components), type: 'directory' } };
  }

  #open(path: Buffer, stat: BigIntStats, components: Buffer[], shown: Buffer): void {
    const fd = openDirectory(path);
    try {
      const opened = fstatSync(fd, { bigint: true });
      if (opened.ino !== stat.ino || opened.dev !== stat.dev) throw new Error('it was replaced while it was read');
      const names = readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' }).sort(byCodeUnit);
      this.#levels.push({ fd, components, path: shown, names, next: 0 });
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }
}

/** `dir/`, `dir//` and `dir/./` → `dir` */
const withoutTrailingSlash = (path: string): string => {
  let end = path.length;
  while (path.endsWith('/', end) || path.endsWith('/.', end)) end -= 1;
  return path.slice(0, end);
};

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

const common = (stat: BigIntStats, path: Buffer[]): Omit<BatchEntry, 'type' | 'target'> => {
  const nanoseconds = ((stat.mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return {
    path,
    size: 0,
    mode: Number(stat.mode & 0o777n),
    mtime: [Number((stat.mtimeNs - nanoseconds) / 1_000_000_000n), Number(nanoseconds)],
    inode: stat.ino,
    flag: 0,
  };
};

const kindOf = (stat: BigIntStats): string => {
  if (stat.isFIFO()) return 'FIFO';
  if (stat.isSocket()) return 'socket';
  return stat.isCharacterDevice() || stat.isBlockDevice() ? 'device' : 'special file';
};

/** The errno name: the rest of the message is about /proc paths that nobody typed. */
const systemMessage = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  return code === undefined ? String(error instanceof Error ? error.message : error) : `it can't be read (${code})`;
};
