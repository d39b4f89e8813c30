/** A finished manifest on disk. Pages are decoded when they are asked for, and only a few are kept. */
import { type FileHandle, open } from 'node:fs/promises';
import { decodeManifestPage, hashBytes, type ManifestEntry, PeerdError } from '@peerd/protocol';
import { hash, RunningHash } from '../hashing.ts';
import { ioError } from '../system-errors.ts';
import { ChunkFiles, damaged, type IndexedEntry, lastAtMost } from './chunk-files.ts';
import { chunksOf, decodeFooter, decodeIndex, footerBytes, indexRecordBytes, type ManifestSummary, type PagePlace } from './layout.ts';

export type { IndexedEntry } from './chunk-files.ts';

export interface DecodedPage {
  readonly firstEntry: number;
  readonly entries: readonly IndexedEntry[];
  /** Only in the sender's own manifest. */
  readonly inodes: BigUint64Array | undefined;
}

/** Pages of a small manifest are decoded once. */
const smallPages = 16;
/** Pages of a larger one that stay decoded: chunks that arrive are near each other. What is kept longer grows old in V8's heap, and takes memory long after. */
const keptPages = 2;

export class Manifest {
  readonly summary: ManifestSummary;
  readonly chunkSize: number;
  readonly #file: FileHandle;
  readonly #places: readonly PagePlace[];
  readonly #firstEntries: readonly number[];
  readonly #hasInodes: boolean;
  readonly #kept = new Map<number, Promise<DecodedPage>>();
  /** Pages with top-level entries, once all have been looked at. */
  #topLevelPages: readonly number[] | undefined;

  private constructor(file: FileHandle, summary: ManifestSummary, chunkSize: number, places: readonly PagePlace[], hasInodes: boolean) {
    this.#file = file;
    this.summary = summary;
    this.chunkSize = chunkSize;
    this.#places = places;
    this.#hasInodes = hasInodes;
    let first = 0;
    this.#firstEntries = places.map((place) => (first += place.entries) - place.entries);
  }

  /** @throws PeerdError `manifest_invalid` for a file that is incomplete, damaged or of another chunk size; `io_error` */
  static async open(path: string, chunkSize: number): Promise<Manifest> {
    const file = await open(path, 'r').catch((cause: unknown) => {
      throw ioError(cause, 'opening the manifest file');
    });
    try {
      const { size } = await file.stat();
      const end = await readAt(file, Math.max(0, size - footerBytes - hashBytes), Math.min(size, footerBytes + hashBytes));
      const footer = decodeFooter(end.subarray(0, footerBytes));
      if (footer === undefined || footer.chunkSize !== chunkSize) throw damaged('it was not finished, or is for another chunk size');
      const indexBytes = footer.summary.pages * indexRecordBytes;
      if (indexBytes > size) throw damaged('its index is cut off');
      const index = await readAt(file, size - footerBytes - hashBytes - indexBytes, indexBytes);
      const expected = new RunningHash().update(index).update(end.subarray(0, footerBytes)).digest();
      if (!expected.equals(end.subarray(footerBytes))) throw damaged('its index does not have the hash that was written');
      return new Manifest(file, footer.summary, chunkSize, decodeIndex(index), footer.inodes);
    } catch (cause) {
      await file.close();
      throw ioError(cause, 'reading the manifest file');
    }
  }

  get pages(): number {
    return this.#places.length;
  }

  /** The page as it travels. @throws PeerdError `not_found`, `manifest_invalid`, `io_error` */
  async page(index: number): Promise<Buffer> {
    return (await this.#read(index)).page;
  }

  /** Entries in order, from entry index `from` on. */
  async *entries(from = 0, limit: number = Number.POSITIVE_INFINITY): AsyncGenerator<IndexedEntry, void, void> {
    let left = limit;
    for (let page = lastAtMost(this.#firstEntries, from); page < this.#places.length && left > 0; page += 1) {
      const { entries, firstEntry } = await this.decoded(page);
      for (const entry of entries.slice(Math.max(0, from - firstEntry))) {
        if (left <= 0) return;
        left -= 1;
        yield entry;
      }
    }
  }

  /** The entries that appear in the destination itself. */
  async *topLevel(): AsyncGenerator<{ index: number; entry: ManifestEntry }, void, void> {
    const found: number[] = [];
    for (const page of this.#topLevelPages ?? this.#places.keys())
      for (const { index, entry } of (await this.decoded(page)).entries)
        if (entry.path.length === 1) {
          if (found.at(-1) !== page) found.push(page);
          yield { index, entry };
        }
    this.#topLevelPages = found;
  }

  /** The entry with this index. @throws PeerdError `not_found` */
  async entry(index: number): Promise<IndexedEntry> {
    const page = index < 0 || index >= this.summary.entries ? undefined : await this.decoded(lastAtMost(this.#firstEntries, index));
    const entry = page?.entries[index - page.firstEntry];
    if (entry === undefined) throw new PeerdError('not_found', `the manifest has no entry ${index}`);
    return entry;
  }

  /** The file that a chunk belongs to. @throws PeerdError `malformed_frame` for a chunk that was not announced */
  async fileOfChunk(chunk: number): Promise<IndexedEntry> {
    return (await this.filesFrom(chunk)).of(chunk);
  }

  /** Finds files by their chunks, without waiting for each. @param chunk of the page that is ready afterwards @throws PeerdError as `fileOfChunk` */
  async filesFrom(chunk: number): Promise<ChunkFiles> {
    if (chunk >= this.summary.chunks) throw new PeerdError('malformed_frame', `chunk ${chunk} was not announced, there are ${this.summary.chunks}`);
    const page = lastAtMost(this.#places, chunk, (place) => place.firstChunk);
    return new ChunkFiles(this.chunkRange(page), (await this.decoded(page)).entries);
  }

  /** First chunk of a page, and the one behind its last. */
  chunkRange(page: number): { start: number; end: number } {
    return { start: this.#places[page]?.firstChunk ?? 0, end: this.#places[page + 1]?.firstChunk ?? this.summary.chunks };
  }

  decoded(page: number): Promise<DecodedPage> {
    const kept = this.#kept.get(page) ?? this.#decode(page);
    this.#kept.delete(page);
    this.#kept.set(page, kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= (this.pages <= smallPages ? smallPages : keptPages)) break;
      this.#kept.delete(oldest);
    }
    return kept;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #decode(index: number): Promise<DecodedPage> {
    const { page, inodes } = await this.#read(index);
    const firstEntry = this.#firstEntries[index] ?? 0;
    let firstChunk = this.#places[index]?.firstChunk ?? 0;
    // The path policy was checked before it was written, and its hash just now.
    const indexed = decodeManifestPage(page).map((entry, position) => {
      const first = firstChunk;
      firstChunk += chunksOf(entry.size, this.chunkSize);
      return { index: firstEntry + position, entry, firstChunk: first };
    });
    return { firstEntry, entries: indexed, inodes };
  }

  async #read(index: number): Promise<{ page: Buffer; inodes: BigUint64Array | undefined }> {
    const place = this.#places[index];
    if (place === undefined) throw new PeerdError('not_found', `the manifest has ${this.#places.length} pages, there is no page ${index}`);
    const inodeBytes = this.#hasInodes ? place.entries * 8 : 0;
    const record = await readAt(this.#file, place.offset, hashBytes + place.bytes + inodeBytes).catch((cause: unknown) => {
      throw ioError(cause, 'reading the manifest file');
    });
    const page = record.subarray(hashBytes, hashBytes + place.bytes);
    if (!hash(page).equals(record.subarray(0, hashBytes))) throw damaged(`page ${index} does not have the hash that was written`);
    const inodes = this.#hasInodes ? new BigUint64Array(Uint8Array.from(record.subarray(hashBytes + place.bytes)).buffer) : undefined;
    return { page, inodes };
  }
}

const readAt = async (file: FileHandle, position: number, length: number): Promise<Buffer> => {
  const buffer = Buffer.allocUnsafeSlow(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) throw damaged('it is cut off');
    filled += bytesRead;
  }
  return buffer;
};
