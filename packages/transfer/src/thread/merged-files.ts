/**
 * Brings finished entries out of staging into a destination where their names may be taken. Entries come in manifest order:
 *
 *  1. a directory whose name is free moves with everything in it; one that exists is gone into
 *  2. a file or link whose name is free moves; one whose name is taken replaces it or stays behind, by the policy
 *  3. when the last entry of a directory that existed was seen, it gets its mode and time (`overwrite` only)
 *
 * What is there is never written to: a name is replaced by `rename`, which follows no link and leaves the old inode alone.
 * Every step may be the last before a crash; the next run tells from staging what was done: an entry that is gone from there,
 * or has a second link, was delivered.
 */
import { closeSync, fchmodSync, fstatSync, fsyncSync, futimesSync, linkSync, lstatSync, renameSync, type Stats } from 'node:fs';
import { DirectoryCursor, inDirectory, openDirectory, openOwnDirectory } from './directory-cursor.ts';
import { type BatchEntry, unpackEntries } from './entry-batch.ts';
import { isUnsupported, utimesArgument } from './file-times.ts';
import { chmodItself, codeOf, concernsOne, ifSupported } from './system-calls.ts';

export type MergePolicy = 'overwrite' | 'skip';

/** Flag of an entry that stays behind with everything below it: it failed, or its end was decided by a run before. */
export const settledEntry = 1;
/** Flag of a top-level entry that a run before has begun: if it is gone from staging, it was delivered. */
export const begunEntry = 2;

/** A directory where a file should go, or something else where a directory should. */
export const typeClash = 'type';
/** Somebody has taken it out of staging. */
export const goneFromStaging = 'gone';

/** Positions in the batch: what was left as it is, and what failed with the errno name or one of the words above. */
export interface MergeResult {
  readonly skipped: readonly number[];
  readonly failed: ReadonlyMap<number, string>;
}

export interface MergeOptions {
  /** The open directory in which the top-level entries stand. */
  readonly stagedFd: number;
  readonly destinationFd: number;
  readonly policy: MergePolicy;
  /** Flush each directory that was changed. */
  readonly flush: boolean;
}

/** Mode of a directory that was moved and has not got its own mode yet. Nobody else makes one like it. */
const movedMode = 0o1700;
/** A name that is taken and freed again and again is not worth more. */
const maxTries = 8;

interface Entered {
  readonly path: readonly Buffer[];
  readonly entry: BatchEntry;
  /** Of the directory itself: another one may bear its name later, whose mode is none of our business. */
  readonly inode: number;
}

type Outcome = 'placed' | 'skipped' | typeof typeClash | typeof goneFromStaging;

export class MergedFiles {
  readonly #options: MergeOptions;
  readonly #staged: DirectoryCursor;
  readonly #destination: DirectoryCursor;
  /** Directories of the destination that were there and are being filled, the outermost first. */
  readonly #entered: Entered[] = [];
  /** Nothing below it is left to do. */
  #settled: readonly Buffer[] | undefined;

  constructor(options: MergeOptions) {
    this.#options = options;
    this.#staged = new DirectoryCursor((name) => inDirectory(options.stagedFd, name), openOwnDirectory);
    this.#destination = new DirectoryCursor((name) => inDirectory(options.destinationFd, name));
  }

  /** @throws errno errors that concern more than one entry */
  merge(packed: Uint8Array): MergeResult {
    const skipped: number[] = [];
    const failed = new Map<number, string>();
    let position = 0;
    for (const entry of unpackEntries(packed)) {
      this.#leave(entry.path);
      try {
        const outcome = this.#entry(entry);
        if (outcome === 'skipped') skipped.push(position);
        else if (outcome !== 'placed') failed.set(position, outcome);
      } catch (error) {
        if (!concernsOne(error)) throw error;
        failed.set(position, String(codeOf(error)));
        this.#settle(entry);
      }
      position += 1;
    }
    return { skipped, failed };
  }

  /** Leaves the directories of the last entry. @throws errno errors */
  finish(): void {
    this.#leave([]);
  }

  close(): void {
    this.#staged.close();
    this.#destination.close();
  }

  #entry(entry: BatchEntry): Outcome {
    if (this.#settled !== undefined && isAtOrBelow(entry.path, this.#settled)) return 'placed';
    this.#settled = undefined;
    if ((entry.flag & settledEntry) !== 0) return this.#settle(entry);
    const staged = lstatIfThere(this.#staged.path(entry.path));
    if (staged === undefined) return this.#gone(entry);
    for (let tries = 1; ; tries += 1) {
      try {
        return entry.type === 'directory' ? this.#directory(entry, staged) : this.#leaf(entry, staged);
      } catch (error) {
        // The name was taken, or became free, a moment ago.
        if (tries === maxTries || !['EEXIST', 'ENOTEMPTY', 'ENOTDIR', 'EISDIR'].includes(String(codeOf(error)))) throw error;
      }
    }
  }

  #gone(entry: BatchEntry): Outcome {
    if (entry.path.length === 1 && (entry.flag & begunEntry) === 0) {
      this.#settle(entry);
      return goneFromStaging;
    }
    if (entry.type === 'directory') this.#dressMoved(entry, undefined);
    return this.#settle(entry);
  }

  #directory(entry: BatchEntry, staged: Stats): Outcome {
    const from = this.#staged.path(entry.path);
    const to = this.#destination.path(entry.path);
    const there = lstatIfThere(to);
    if (there === undefined) {
      // A directory without write permission can't be moved. The mark tells a later run that its mode is still to be set.
      ifSupported(() => chmodItself(from, movedMode));
      renameSync(from, to);
      this.#dressMoved(entry, staged.ino);
      return this.#settle(entry);
    }
    if (!there.isDirectory()) {
      this.#settle(entry);
      return typeClash;
    }
    this.#entered.push({ path: entry.path.map((component) => Buffer.from(component)), entry: { ...entry, mtime: [...entry.mtime] }, inode: there.ino });
    return 'placed';
  }

  #leaf(entry: BatchEntry, staged: Stats): Outcome {
    const from = this.#staged.path(entry.path);
    const to = this.#destination.path(entry.path);
    // It stays in staging until everything is flushed. If somebody has moved it since, a second copy is not for us to make.
    if (staged.nlink > 1) return 'placed';
    const there = lstatIfThere(to);
    if (there === undefined) return this.#moveLeaf(from, to);
    if (there.isDirectory()) return typeClash;
    if (this.#options.policy === 'skip') return 'skipped';
    // A FIFO, a socket or a device has a purpose that its name alone fulfils.
    if (!there.isFile() && !there.isSymbolicLink()) return typeClash;
    renameSync(from, to);
    return 'placed';
  }

  /** To a name that was free. `skip` must not replace what comes there in between; without hard links that can't be had. */
  #moveLeaf(from: Buffer, to: Buffer): Outcome {
    if (this.#options.policy === 'skip') {
      try {
        linkSync(from, to);
        return 'placed';
      } catch (error) {
        if (!isUnsupported(error) && codeOf(error) !== 'EMLINK') throw error;
      }
    }
    renameSync(from, to);
    return 'placed';
  }

  /** Time and mode of a directory that was moved; the mode last. @param inode `undefined`: moved by a run before, which the mark tells */
  #dressMoved(entry: BatchEntry, inode: number | undefined): void {
    let fd: number;
    try {
      fd = openDirectory(this.#destination.path(entry.path));
    } catch (error) {
      // Taken away by somebody, or dressed already.
      if (isLost(error)) return;
      throw error;
    }
    try {
      const stat = fstatSync(fd);
      const isOurs = inode === undefined ? stat.uid === process.geteuid?.() && (stat.mode & 0o7777) === movedMode : stat.ino === inode;
      if (isOurs) this.#dress(fd, entry);
    } finally {
      closeSync(fd);
    }
  }

  #dress(fd: number, entry: BatchEntry): void {
    ifSupported(() => futimesSync(fd, Date.now() / 1_000, utimesArgument(entry.mtime[0], entry.mtime[1])));
    ifSupported(() => fchmodSync(fd, entry.mode));
    if (this.#options.flush) fsyncSync(fd);
  }

  /** Every directory that is not above `path` has all its entries. */
  #leave(path: readonly Uint8Array[]): void {
    for (let last = this.#entered.at(-1); last !== undefined && !isBelow(path, last.path); last = this.#entered.at(-1)) {
      this.#entered.pop();
      const fd = this.#openAgain(last);
      if (fd === undefined) continue;
      if (this.#options.policy === 'overwrite') this.#dress(fd, last.entry);
      else if (this.#options.flush) fsyncSync(fd);
    }
  }

  /** A directory that was there; `undefined` when somebody has taken it away since. */
  #openAgain({ path, inode }: Entered): number | undefined {
    try {
      const fd = this.#destination.directory(path);
      return fstatSync(fd).ino === inode ? fd : undefined;
    } catch (error) {
      if (isLost(error)) return undefined;
      throw error;
    }
  }

  #settle(entry: BatchEntry): 'placed' {
    if (entry.type === 'directory') this.#settled = entry.path.map((component) => Buffer.from(component));
    return 'placed';
  }
}

const isAtOrBelow = (path: readonly Uint8Array[], directory: readonly Buffer[]): boolean =>
  path.length >= directory.length && directory.every((component, depth) => component.equals(path[depth] ?? Buffer.alloc(0)));

const isBelow = (path: readonly Uint8Array[], directory: readonly Buffer[]): boolean => path.length > directory.length && isAtOrBelow(path, directory);

const isLost = (error: unknown): boolean => ['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES'].includes(String(codeOf(error)));

const lstatIfThere = (path: Buffer): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });
