/**
 * Content of a file that stands in the destination already, copied to where the new one of the same path grows. The file
 * itself is only read; no link is followed, and nothing but a regular file is opened.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, writeSync } from 'node:fs';
import { hash } from '../hashing.ts';
import { Zeros } from '../zeros.ts';
import { DirectoryCursor, inDirectory } from './directory-cursor.ts';
import { type BatchEntry, unpackEntries } from './entry-batch.ts';
import type { StagedFiles } from './staged-files.ts';
import { codeOf } from './system-calls.ts';

const hashBytes = 32;
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

interface OpenBasis {
  readonly from: number;
  readonly to: number;
}

export class BasisFiles {
  readonly #cursor: DirectoryCursor;
  readonly #staged: StagedFiles;
  #open: OpenBasis | undefined;
  readonly #chunkSize: number;
  readonly #zeros: Zeros;
  #memory: Buffer | undefined;

  constructor(destinationFd: number, staged: StagedFiles, chunkSize: number) {
    this.#cursor = new DirectoryCursor((name) => inDirectory(destinationFd, name));
    this.#staged = staged;
    this.#chunkSize = chunkSize;
    this.#zeros = new Zeros(chunkSize);
  }

  /** @returns how many bytes there are to copy from; 0: nothing that may be used, and nothing is open */
  open(packed: Uint8Array): number {
    this.#release();
    const [entry] = unpackEntries(packed);
    const found = entry === undefined ? undefined : this.#find(entry);
    if (found === undefined) return 0;
    try {
      this.#open = { from: found.fd, to: this.#staged.openForWrite(packed).fd };
    } catch (error) {
      closeSync(found.fd);
      throw error;
    }
    return found.size;
  }

  /** Copies whole chunks from `offset` on. @returns 32 bytes for each: its hash, or zeros where nothing was copied */
  copy(offset: number, length: number): Uint8Array<ArrayBuffer> {
    const chunkSize = this.#chunkSize;
    const { from, to } = this.#open ?? { from: -1, to: -1 };
    const hashes = new Uint8Array(Math.ceil(length / chunkSize) * hashBytes);
    this.#memory ??= Buffer.allocUnsafeSlow(chunkSize);
    for (let at = 0, chunk = 0; at < length; at += chunkSize, chunk += 1) {
      const content = this.#memory.subarray(0, Math.min(chunkSize, length - at));
      if (!readWhole(from, content, offset + at)) break;
      // Zeros come as a hole, and shall stay one.
      if (this.#zeros.are(content)) continue;
      for (let written = 0; written < content.length; ) written += writeSync(to, content, written, content.length - written, offset + at + written);
      hashes.set(hash(content), chunk * hashBytes);
    }
    return hashes;
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
    closeSync(this.#open.to);
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
