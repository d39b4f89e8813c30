/**
 * Walks sources in manifest order and reads metadata only. Nothing but directories is opened, so a FIFO never blocks and
 * a device is never touched.
 */
import { accessSync, type BigIntStats, closeSync, constants, fstatSync, lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import type { PathFilter } from '@peerd/protocol/path-filter';
import { BatchError } from './batch-error.ts';
import { openDirectory } from './directory-cursor.ts';
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

/** `leftOut`: by the filter, a directory with all that is in it. */
export type WalkStep = { readonly entry: BatchEntry } | { readonly skip: WalkSkip } | { readonly leftOut: true };

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
  /** The names of `components` from the source's own one down, as the filter compares them. */
  readonly shownNames: readonly string[];
  /** All in it is wanted. */
  readonly isWanted: boolean;
  /** Its own entry, as long as nothing in it was wanted. */
  pending: BatchEntry | undefined;
}

interface Visited {
  readonly path: Buffer;
  readonly components: Buffer[];
  /** Path for people. */
  readonly shown: () => Buffer;
  readonly shownNames: readonly string[];
  readonly isWanted: boolean;
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
  readonly #filter: PathFilter | undefined;
  /** Directories that turned out to lead to something wanted, and what that was. */
  readonly #ready: WalkStep[] = [];

  constructor(roots: readonly WalkRoot[], filter?: PathFilter) {
    this.#filter = filter;
    const positioned = roots.map((root, position) => ({ ...root, position }));
    this.#roots = positioned.sort((a, b) => Buffer.compare(a.name, b.name)).values();
  }

  /** The next entry or skipped path; `undefined` at the end. @throws BatchError with the position of a root that can't be read */
  next(): WalkStep | undefined {
    for (;;) {
      const step = this.#ready.shift();
      if (step !== undefined) return step;
      if (!this.#advance()) return undefined;
    }
  }

  /** Looks at one path. @returns false at the end */
  #advance(): boolean {
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      const name = level.names[level.next];
      if (name === undefined) {
        closeSync(level.fd);
        this.#levels.pop();
        continue;
      }
      level.next += 1;
      const component = latin1(name);
      try {
        this.#visit({
          path: latin1(`/proc/self/fd/${level.fd}/${name}`), components: [...level.components, component], shown: () => shownIn(level, component),
          shownNames: this.#filter ? [...level.shownNames, component.toString()] : [], isWanted: level.isWanted,
        });
      } catch (error) {
        this.#ready.push({ skip: { path: shownIn(level, component), code: 'source_unreadable', message: systemMessage(error) } });
      }
      return true;
    }
    const root = this.#roots.next();
    if (root.done === true) return false;
    const { name, source, position } = root.value;
    try {
      this.#visit({ path: source, components: [name], shown: () => source, shownNames: [source.subarray(source.lastIndexOf('/') + 1).toString()], isWanted: this.#filter?.isSelective !== true });
    } catch (error) {
      throw new BatchError(error, position);
    }
    return true;
  }

  close(): void {
    for (const level of this.#levels.splice(0)) closeSync(level.fd);
  }

  #visit({ path, components, shown, shownNames, isWanted: inWanted }: Visited): void {
    const stat = lstatSync(path, { bigint: true });
    const isDirectory = stat.isDirectory();
    if (this.#filter?.excludes(shownNames, isDirectory) === true) return void this.#ready.push({ leftOut: true });
    const isWanted = inWanted || this.#filter?.includes(shownNames, isDirectory) === true;
    if (!isDirectory) {
      if (!isWanted) return void this.#ready.push({ leftOut: true });
      const step = leafStep(path, stat, components, shown);
      return this.#want(step);
    }
    if (components.length >= maxDepth) return void this.#ready.push({ skip: { path: shown(), code: 'source_unreadable', message: `directories nested deeper than ${maxDepth} levels are not sent` } });
    const entry: BatchEntry = { ...common(stat, components), type: 'directory' };
    const { fd, names } = openListed(path, stat);
    if (isWanted) this.#want({ entry });
    this.#levels.push({ fd, components, path: shown(), names, next: 0, shownNames, isWanted, pending: isWanted ? undefined : entry });
  }

  /** With the directories above it that nothing has asked for before. */
  #want(step: WalkStep): void {
    if ('entry' in step)
      for (const level of this.#levels) {
        if (level.pending !== undefined) this.#ready.push({ entry: level.pending });
        level.pending = undefined;
      }
    this.#ready.push(step);
  }
}

/** Anything but a directory. */
const leafStep = (path: Buffer, stat: BigIntStats, components: Buffer[], shown: () => Buffer): WalkStep => {
  if (stat.isFile()) {
    if (!isOwnReadable(stat)) accessSync(path, constants.R_OK);
    return { entry: { ...common(stat, components), type: 'file', size: Number(stat.size) } };
  }
  if (stat.isSymbolicLink()) return { entry: { ...common(stat, components), type: 'symlink', target: readlinkSync(path, 'buffer') } };
  return { skip: { path: shown(), code: 'special_file', message: `a ${kindOf(stat)} is not sent` } };
};

const ownUid = BigInt(process.geteuid?.() ?? -1);

/** By its mode alone, which spares a system call for nearly every file. What else forbids reading shows when it is read. */
const isOwnReadable = ({ uid, mode }: BigIntStats): boolean => uid === ownUid && (mode & 0o400n) !== 0n;

const shownIn = (level: OpenLevel, component: Buffer): Buffer => Buffer.concat([level.path, latin1('/'), component]);

const openListed = (path: Buffer, stat: BigIntStats): { fd: number; names: string[] } => {
  const fd = openDirectory(path);
  try {
    const opened = fstatSync(fd, { bigint: true });
    if (opened.ino !== stat.ino || opened.dev !== stat.dev) throw new Error('it was replaced while it was read');
    return { fd, names: readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' }).sort(byCodeUnit) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
};

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
