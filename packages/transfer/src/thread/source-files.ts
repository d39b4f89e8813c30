/** Reads the files of a sender, and notices when one of them is not what the scan saw. */
import { type BigIntStats, closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { hashInto } from '../hashing.ts';
import { DirectoryCursor } from './directory-cursor.ts';
import { type BatchEntry, unpackEntries } from './entry-batch.ts';

/** `CHANGED`: size, time or inode are not those of the scan. Else an errno name. */
type SourceProblem = string;

export interface SourceRead {
  /** The memory that was given, with the contents of the files without a problem at its beginning, one after the other. */
  readonly content: Uint8Array<ArrayBuffer>;
  /** 32 bytes for each of these. */
  readonly hashes: Uint8Array<ArrayBuffer>;
  /** By position in the batch. */
  readonly problems: ReadonlyMap<number, SourceProblem>;
  readonly readMs: number;
  readonly hashMs: number;
}

/** Flag of an entry in a read batch: is it still as it was; its content is not needed. */
export const checkOnly = 1;

class ChangedError extends Error {
  readonly code = 'CHANGED';
}

const nanosecondsOf = (entry: BatchEntry): bigint => BigInt(entry.mtime[0]) * 1_000_000_000n + BigInt(entry.mtime[1]);

const assertSame = (entry: BatchEntry, stat: BigIntStats): void => {
  const sameFile = stat.isFile() && (entry.inode === 0n || stat.ino === entry.inode);
  if (!sameFile || stat.size !== BigInt(entry.size) || stat.mtimeNs !== nanosecondsOf(entry)) throw new ChangedError();
};

export class SourceFiles {
  readonly #cursor: DirectoryCursor;

  constructor(roots: readonly { name: Uint8Array; source: Uint8Array }[]) {
    const sources = new Map(roots.map((root) => [Buffer.from(root.name).toString('latin1'), Buffer.from(root.source)]));
    this.#cursor = new DirectoryCursor((name) => {
      const source = sources.get(Buffer.from(name).toString('latin1'));
      if (source === undefined) throw new Error('a manifest entry without a source');
      return source;
    });
  }

  /** Opens a file for reading and leaves the descriptor to the caller. */
  open(packed: Uint8Array): number {
    const [entry] = unpackEntries(packed);
    if (entry === undefined) throw new Error('one entry is expected');
    return this.#openSame(entry);
  }

  /** Reads whole small files. @param content room for all of them */
  read(packed: Uint8Array, content: Uint8Array<ArrayBuffer>): SourceRead {
    const entries = [...unpackEntries(packed)];
    const sizes: number[] = [];
    const problems = new Map<number, SourceProblem>();
    const start = performance.now();
    let used = 0;
    for (const [position, entry] of entries.entries()) {
      try {
        if (entry.flag === checkOnly) {
          assertSame(entry, lstatSync(this.#cursor.path(entry.path), { bigint: true }));
          continue;
        }
        this.#readWhole(entry, content.subarray(used, used + entry.size));
        used += entry.size;
        sizes.push(entry.size);
      } catch (error) {
        problems.set(position, problemOf(error));
      }
    }
    const hashStart = performance.now();
    const hashes = hashesOf(content, sizes);
    return { content, hashes, problems, readMs: hashStart - start, hashMs: performance.now() - hashStart };
  }

  close(): void {
    this.#cursor.close();
  }

  #readWhole(entry: BatchEntry, view: Uint8Array): void {
    const fd = this.#openSame(entry);
    try {
      for (let filled = 0; filled < view.length; ) {
        const bytes = readSync(fd, view, filled, view.length - filled, filled);
        if (bytes === 0) throw new ChangedError();
        filled += bytes;
      }
      assertSame(entry, fstatSync(fd, { bigint: true }));
    } finally {
      closeSync(fd);
    }
  }

  /** O_NONBLOCK: a FIFO that took the file's place since the scan must not block. */
  #openSame(entry: BatchEntry): number {
    const fd = openSync(this.#cursor.path(entry.path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      assertSame(entry, fstatSync(fd, { bigint: true }));
      return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }
}

/** Of pieces of these sizes, one after the other. */
const hashesOf = (content: Uint8Array, sizes: readonly number[]): Uint8Array<ArrayBuffer> => {
  const hashes = Buffer.from(new ArrayBuffer(sizes.length * 32));
  let at = 0;
  for (const [position, size] of sizes.entries()) {
    hashInto(content.subarray(at, at + size), hashes, position * 32);
    at += size;
  }
  return hashes;
};

/** @throws errors that are neither the operating system's nor a change: defects */
const problemOf = (error: unknown): SourceProblem => {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  throw error;
};
