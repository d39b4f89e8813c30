/** Compares entries with what stands in a directory. Nothing is opened but directories, and no link is followed. */
import { lstatSync, readlinkSync, type BigIntStats } from 'node:fs';
import { RiskFinder } from '../risks.ts';
import { DirectoryCursor, inDirectory } from './directory-cursor.ts';
import { type BatchEntry, unpackEntries } from './entry-batch.ts';
import { codeOf } from './system-calls.ts';

/** First of the two bytes of an entry; the second has its risks. */
export const comparisons = ['new', 'same', 'conflict'] as const;
export type Comparison = (typeof comparisons)[number];

/** Flag of an entry that is only looked at for the names after it. */
export const notCompared = 1;

export class ComparedFiles {
  readonly #cursor: DirectoryCursor | undefined;
  readonly #risks = new RiskFinder();

  /** @param directoryFd `undefined`: the directory does not exist yet */
  constructor(directoryFd: number | undefined) {
    this.#cursor = directoryFd === undefined ? undefined : new DirectoryCursor((name) => inDirectory(directoryFd, name));
  }

  compare(packed: Uint8Array): Uint8Array<ArrayBuffer> {
    const found: number[] = [];
    for (const entry of unpackEntries(packed)) {
      const mask = this.#risks.maskOf(entry);
      found.push((entry.flag & notCompared) === 0 ? comparisons.indexOf(this.#compare(entry)) : 0, mask);
    }
    return new Uint8Array(found);
  }

  close(): void {
    this.#cursor?.close();
  }

  #compare(entry: BatchEntry): Comparison {
    if (this.#cursor === undefined) return 'new';
    try {
      const path = this.#cursor.path(entry.path);
      const there = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (there === undefined) return 'new';
      return isSame(entry, there, path) ? 'same' : 'conflict';
    } catch (error) {
      // A directory above is missing, or is none. What can't be looked at is there.
      return ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(String(codeOf(error))) ? 'new' : 'conflict';
    }
  }
}

/** Times in microseconds: received files have no finer ones. */
const isSame = (entry: BatchEntry, there: BigIntStats, path: Buffer): boolean => {
  if (entry.type === 'directory') return there.isDirectory();
  if (entry.type === 'symlink') return there.isSymbolicLink() && readlinkSync(path, 'buffer').equals(entry.target ?? Buffer.alloc(0));
  const micros = BigInt(entry.mtime[0]) * 1_000_000n + BigInt(Math.floor(entry.mtime[1] / 1_000));
  return there.isFile() && there.size === BigInt(entry.size) && floorDivide(there.mtimeNs, 1_000n) === micros;
};

/** Toward minus infinity, as times before 1970 are split. */
const floorDivide = (value: bigint, by: bigint): bigint => value / by - (value % by < 0n ? 1n : 0n);
