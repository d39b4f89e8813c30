/** Appends pages to a manifest file; used by the scan and by the receiver's writer. */
import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ManifestEntry } from '@peerd/protocol';
import { hash, RunningHash } from '../hashing.ts';
import { ioError } from '../system-errors.ts';
import { chunksOf, encodeFooter, encodeIndex, type ManifestSummary, type PagePlace } from './layout.ts';

export class PageFile {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #chunkSize: number;
  readonly #inodes: boolean;
  readonly #places: PagePlace[] = [];
  readonly #root = new RunningHash();
  #offset = 0;
  #entries = 0;
  #bytes = 0;
  #chunks = 0;
  #manifestBytes = 0;

  private constructor(path: string, file: FileHandle, chunkSize: number, inodes: boolean) {
    this.#path = path;
    this.#file = file;
    this.#chunkSize = chunkSize;
    this.#inodes = inodes;
  }

  /** Whatever stood at `path` is gone. @throws PeerdError `io_error`, `no_space` */
  static async create(path: string, chunkSize: number, inodes: boolean): Promise<PageFile> {
    try {
      return new PageFile(path, await open(path, constants.O_CREAT | constants.O_TRUNC | constants.O_WRONLY, 0o600), chunkSize, inodes);
    } catch (cause) {
      throw ioError(cause, 'creating the manifest file');
    }
  }

  get totals(): { entries: number; bytes: number; pages: number; manifestBytes: number } {
    return { entries: this.#entries, bytes: this.#bytes, pages: this.#places.length, manifestBytes: this.#manifestBytes };
  }

  /** @param inodes of the entries, when the file was created to hold them */
  async append(page: Uint8Array, entries: readonly ManifestEntry[], inodes: BigUint64Array = new BigUint64Array(0)): Promise<void> {
    const pageHash = hash(page);
    const tail = this.#inodes ? new Uint8Array(inodes.buffer, inodes.byteOffset, inodes.byteLength) : new Uint8Array(0);
    await this.#write([pageHash, page, tail]);
    this.#root.update(pageHash);
    this.#places.push({ offset: this.#offset, bytes: page.length, entries: entries.length, firstChunk: this.#chunks });
    this.#offset += pageHash.length + page.length + tail.length;
    this.#manifestBytes += page.length;
    this.#entries += entries.length;
    for (const entry of entries) {
      this.#bytes += entry.size;
      this.#chunks += chunksOf(entry.size, this.#chunkSize);
    }
  }

  offerRoot(): Buffer {
    return this.#root.digest();
  }

  /** Writes index and footer; afterwards the file is complete and on stable storage. */
  async finish(): Promise<ManifestSummary> {
    const summary = { ...this.totals, chunks: this.#chunks, offerRoot: this.offerRoot() };
    const index = encodeIndex(this.#places);
    const footer = encodeFooter({ summary, chunkSize: this.#chunkSize, inodes: this.#inodes });
    await this.#write([index, footer, new RunningHash().update(index).update(footer).digest()]);
    try {
      await this.#file.sync();
      await this.#file.close();
      const directory = await open(dirname(this.#path), constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        await directory.sync();
      } finally {
        await directory.close();
      }
    } catch (cause) {
      throw ioError(cause, 'flushing the manifest file');
    }
    return summary;
  }

  /** Idempotent. */
  async discard(): Promise<void> {
    await this.#file.close();
    await rm(this.#path, { force: true });
  }

  async #write(buffers: readonly Uint8Array[]): Promise<void> {
    try {
      await this.#file.appendFile(Buffer.concat(buffers));
    } catch (cause) {
      throw ioError(cause, 'writing the manifest file');
    }
  }
}
