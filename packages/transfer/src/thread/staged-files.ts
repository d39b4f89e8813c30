/**
 * Makes the files of a receiver inside its private staging directory. Whatever stands in the way there was made by an
 * earlier run of ours, and is made again.
 */
import {
  closeSync, constants, fchmodSync, fstatSync, fsyncSync, ftruncateSync, futimesSync, lutimesSync, mkdirSync, openSync, readSync,
  symlinkSync, unlinkSync, writeSync,
} from 'node:fs';
import { hashInto } from '../hashing.ts';
import { BatchError } from './batch-error.ts';
import { DirectoryCursor, inDirectory } from './directory-cursor.ts';
import { type BatchEntry, unpackEntries } from './entry-batch.ts';
import { utimesArgument } from './file-times.ts';
import { chmodItself, codeOf, concernsOne, ifSupported } from './system-calls.ts';

/** Flags of an entry in a finish batch. */
export const failedEntry = 1;
/** Mode and time were set when the content was written. */
export const alreadyDressed = 2;

const privateMode = 0o600;
const ownerCanRead = 0o400;
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;

const forEachEntry = (packed: Uint8Array, visit: (entry: BatchEntry, position: number) => void): void => {
  let position = 0;
  for (const entry of unpackEntries(packed)) {
    try {
      visit(entry, position);
    } catch (error) {
      throw new BatchError(error, position);
    }
    position += 1;
  }
};

/** Runs `make`; what stands in its place is removed and `make` runs again. */
const replacing = <T>(path: Buffer, make: () => T, inTheWay: readonly string[] = ['EEXIST']): T => {
  try {
    return make();
  } catch (error) {
    if (!inTheWay.includes(String(codeOf(error)))) throw error;
    unlinkSync(path);
    return make();
  }
};

export interface FinishResult {
  readonly open: readonly number[];
  /** Position in the batch, and the errno name. */
  readonly failed: ReadonlyMap<number, string>;
}

export class StagedFiles {
  readonly #cursor: DirectoryCursor;
  /** What became of the mode of the last file that was made. */
  #made: { readonly directory: object; readonly mode: number; readonly isKept: boolean } | undefined;

  /** @param rootFd the open directory in which the top-level entries stand */
  constructor(rootFd: number) {
    this.#cursor = new DirectoryCursor((name) => inDirectory(rootFd, name));
  }

  /** Directories in manifest order. One that exists gets back the mode that lets us work in it. */
  makeDirectories(packed: Uint8Array): void {
    forEachEntry(packed, (entry) => {
      const path = this.#cursor.path(entry.path);
      try {
        mkdirSync(path, 0o700);
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
        chmodItself(path, 0o700);
      }
    });
  }

  /** Writes whole small files, their contents one after the other. A file that its owner could not read again stays readable until `finish`. */
  writeFiles(packed: Uint8Array, content: Uint8Array): void {
    let used = 0;
    forEachEntry(packed, (entry) => {
      const path = this.#cursor.path(entry.path);
      // Nobody else gets into staging, so a file may have its own mode from the beginning.
      const mode = (entry.mode & privateMode) === privateMode ? entry.mode : privateMode;
      const fd = replacing(path, () => openSync(path, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, mode));
      try {
        const end = used + entry.size;
        while (used < end) used += writeSync(fd, content, used, end - used);
        if ((entry.mode & ownerCanRead) === 0) return;
        if (!this.#hasMode(fd, mode) || mode !== entry.mode) setMode(fd, entry.mode);
        setTime(fd, entry);
      } finally {
        closeSync(fd);
      }
    });
  }

  /** A descriptor for positioned reads and writes, which the caller closes. The file has its size from now on: what is not written is a hole. */
  openForWrite(packed: Uint8Array): { fd: number; extendedFrom: number } {
    const entry = only(packed);
    const path = this.#cursor.path(entry.path);
    const open = (): number => this.#openAgain(path, O_CREAT | O_RDWR | O_NOFOLLOW | O_NONBLOCK);
    const fd = replacing(path, open, ['ELOOP', 'ENXIO']);
    try {
      const { size } = fstatSync(fd);
      if (size < entry.size) ftruncateSync(fd, entry.size);
      return { fd, extendedFrom: size };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** A descriptor for positioned reads and the size; `undefined` when there is no such file. The caller closes it. */
  openForRead(packed: Uint8Array): { fd: number; size: number } | undefined {
    return this.#openIfFile(only(packed));
  }

  /** 32 bytes for each file of the batch: its hash, or zeros when it is missing or has another size. */
  hashFiles(packed: Uint8Array): Uint8Array<ArrayBuffer> {
    const entries = [...unpackEntries(packed)];
    const hashes = Buffer.from(new ArrayBuffer(entries.length * 32));
    for (const [position, entry] of entries.entries()) {
      const content = this.#readWhole(entry);
      if (content !== undefined) hashInto(content, hashes, position * 32);
    }
    return hashes;
  }

  /**
   * The last step for files and links, in manifest order: empty files and links are made, failed files removed, sizes,
   * modes and times set.
   *
   * @returns with `keepOpen`, descriptors of all files to flush, which the caller closes; entries that could not be made
   */
  finish(packed: Uint8Array, keepOpen: boolean): FinishResult {
    const result = { open: [] as number[], failed: new Map<number, string>() };
    try {
      forEachEntry(packed, (entry, position) => {
        try {
          const fd = this.#finishEntry(entry, keepOpen);
          if (fd !== undefined) result.open.push(fd);
        } catch (error) {
          if (!concernsOne(error)) throw error;
          result.failed.set(position, String(codeOf(error)));
        }
      });
    } catch (error) {
      for (const fd of result.open) closeSync(fd);
      throw error;
    }
    return result;
  }

  /** The last step for directories below the top level, in reverse manifest order: nothing is made in them afterwards. */
  finishDirectories(packed: Uint8Array, flush: boolean): void {
    forEachEntry(packed, (entry) => {
      const fd = this.#cursor.directory(entry.path);
      // A top-level directory gets its mode after the move: without write permission it could not be moved.
      if (entry.path.length > 1) dress(fd, entry);
      if (flush) fsyncSync(fd);
    });
  }

  close(): void {
    this.#cursor.close();
  }

  /**
   * Whether a file that was made with this mode got it: umask, a default access control list of the directory or the file
   * system may take something away, but the same of all files of one directory.
   */
  #hasMode(fd: number, mode: number): boolean {
    const { current } = this.#cursor;
    if (this.#made?.directory !== current || this.#made.mode !== mode) this.#made = { directory: current, mode, isKept: (fstatSync(fd).mode & 0o7777) === mode };
    return this.#made.isKept;
  }

  #finishEntry(entry: BatchEntry, keepOpen: boolean): number | undefined {
    const path = this.#cursor.path(entry.path);
    const dressed = (entry.flag & alreadyDressed) !== 0;
    if ((entry.flag & failedEntry) !== 0) removeFile(path);
    else if (entry.type === 'symlink') makeLink(path, entry);
    else if (!dressed || keepOpen) {
      const fd = this.#openAgain(path, dressed ? O_RDONLY | O_NOFOLLOW : (entry.size === 0 ? O_CREAT : 0) | O_RDWR | O_NOFOLLOW);
      try {
        if (!dressed && fstatSync(fd).size !== entry.size) ftruncateSync(fd, entry.size);
        if (!dressed) dress(fd, entry);
        if (keepOpen) return fd;
      } catch (error) {
        closeSync(fd);
        throw error;
      }
      closeSync(fd);
    }
    return undefined;
  }

  /** An earlier finish may have taken our own permission away. */
  #openAgain(path: Buffer, flags: number): number {
    try {
      return openSync(path, flags, privateMode);
    } catch (error) {
      if (codeOf(error) !== 'EACCES') throw error;
      chmodItself(path, privateMode);
      return openSync(path, flags, privateMode);
    }
  }

  #openIfFile(entry: BatchEntry): { fd: number; size: number } | undefined {
    try {
      const fd = this.#openAgain(this.#cursor.path(entry.path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      const stat = fstatSync(fd);
      if (stat.isFile()) return { fd, size: stat.size };
      closeSync(fd);
    } catch (error) {
      if (!isAbsence(error)) throw error;
    }
    return undefined;
  }

  #readWhole(entry: BatchEntry): Uint8Array | undefined {
    const opened = this.#openIfFile(entry);
    if (opened === undefined) return undefined;
    try {
      if (opened.size !== entry.size) return undefined;
      const content = new Uint8Array(entry.size);
      let filled = 0;
      for (let bytes = -1; filled < content.length && bytes !== 0; filled += bytes) bytes = readSync(opened.fd, content, filled, content.length - filled, filled);
      return filled === content.length ? content : undefined;
    } finally {
      closeSync(opened.fd);
    }
  }
}

const only = (packed: Uint8Array): BatchEntry => {
  const [entry] = unpackEntries(packed);
  if (entry === undefined) throw new Error('one entry is expected');
  return entry;
};

const isAbsence = (error: unknown): boolean => ['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR', 'ENXIO'].includes(String(codeOf(error)));

const dress = (fd: number, entry: BatchEntry): void => {
  setMode(fd, entry.mode);
  setTime(fd, entry);
};

const setMode = (fd: number, mode: number): void => ifSupported(() => fchmodSync(fd, mode));

const setTime = (fd: number, { mtime }: BatchEntry): void => {
  const time = utimesArgument(mtime[0], mtime[1]);
  ifSupported(() => futimesSync(fd, Date.now() / 1_000, time));
};

const makeLink = (path: Buffer, entry: BatchEntry): void => {
  const target = Buffer.from(entry.target ?? []);
  replacing(path, () => symlinkSync(target, path));
  ifSupported(() => lutimesSync(path, Date.now() / 1_000, utimesArgument(entry.mtime[0], entry.mtime[1])));
};

const removeFile = (path: Buffer): void => {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isAbsence(error)) throw error;
  }
};
