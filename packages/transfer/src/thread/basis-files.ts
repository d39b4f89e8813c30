/**
 * Content of a file that stands in the destination already, to be read, and copied to where the new one of the same path grows.
 * The file itself is only read; no link is followed, and nothing but a regular file is opened.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, writeSync } from 'node:fs';
import { hash } from '../hashing.ts';
import { DirectoryCursor, inDirectory } from './directory-cursor.ts';
import { type BatchEntry, unpackEntries } from './entry-batch.ts';
import type { StagedFiles } from './staged-files.ts';
import { codeOf } from './system-calls.ts';

const hashBytes = 32;
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

interface OpenBasis {
  readonly from: number;
  readonly packed: Uint8Array;
  /** Of the new file, from the first copy on. */
  to: number | undefined;
}

export class BasisFiles {
  readonly #cursor: DirectoryCursor;
  readonly #staged: StagedFiles;
  #open: OpenBasis | undefined;
  readonly #chunkSize: number;
  #memory: Buffer | undefined;

  constructor(destinationFd: number, staged: StagedFiles, chunkSize: number) {
    this.#cursor = new DirectoryCursor((name) => inDirectory(destinationFd, name));
    this.#staged = staged;
    this.#chunkSize = chunkSize;
  }

  /** @returns what may be read until the next call of `open` or `close`; `undefined`: there is nothing, and nothing is open */
  open(packed: Uint8Array): { fd: number; size: number } | undefined {
    this.#release();
    const [entry] = unpackEntries(packed);
    const found = entry === undefined ? undefined : this.#find(entry);
    if (found !== undefined) this.#open = { from: found.fd, packed, to: undefined };
    return found;
  }

  /** Copies the chunks from `offset` on that still have their hash. @returns 1 for each that was copied, else 0 */
  copy(offset: number, length: number, expected: Uint8Array): Uint8Array<ArrayBuffer> {
    const copied = new Uint8Array(Math.ceil(length / this.#chunkSize));
    if (this.#open === undefined) return copied;
    this.#memory ??= Buffer.allocUnsafeSlow(this.#chunkSize);
    for (let at = 0, chunk = 0; at < length; at += this.#chunkSize, chunk += 1) {
      const content = this.#memory.subarray(0, Math.min(this.#chunkSize, length - at));
      if (!readWhole(this.#open.from, content, offset + at)) break;
      if (hash(content).compare(expected, chunk * hashBytes, (chunk + 1) * hashBytes) !== 0) continue;
      this.#open.to ??= this.#staged.openForWrite(this.#open.packed).fd;
      for (let written = 0; written < content.length; ) written += writeSync(this.#open.to, content, written, content.length - written, offset + at + written);
      copied[chunk] = 1;
    }
    return copied;
  }

  close(): void {
    this.#release();
    this.#cursor.close();
  }

  #find(entry: BatchEntry): { fd: number; size: number } | undefined {
    try {
      const path = this.#cursor.path(entry.path);
      // Opening a FIFO or a device can have effects.
      if (!lstatSync(path).isFile()) return undefined;
      const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      const stat = fstatSync(fd);
      if (stat.isFile() && stat.size > 0) return { fd, size: stat.size };
      closeSync(fd);
    } catch (error) {
      // What can't be read is no basis; everything travels then.
      if (codeOf(error) === undefined) throw error;
    }
    return undefined;
  }

  #release(): void {
    if (this.#open === undefined) return;
    closeSync(this.#open.from);
    if (this.#open.to !== undefined) closeSync(this.#open.to);
    this.#open = undefined;
  }
}

/** `false`: it ends before, or can't be read. */
const readWhole = (fd: number, content: Buffer, position: number): boolean => {
  try {
    for (let filled = 0; filled < content.length; ) {
      const bytes = readSync(fd, content, filled, content.length - filled, position + filled);
      if (bytes === 0) return false;
      filled += bytes;
    }
    return true;
  } catch {
    return false;
  }
};
