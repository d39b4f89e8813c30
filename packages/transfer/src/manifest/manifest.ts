/** A finished manifest on disk. Pages are decoded when they are asked for, and only a few are kept. */
import { type FileHandle, open } from 'node:fs/promises';
import { decodeCbor, hashBytes, type ManifestEntry, PeerdError } from '@peerd/protocol';
import { hash, RunningHash } from '../hashing.ts';
import { ioError } from '../system-errors.ts';
import { chunksOf, decodeFooter, decodeIndex, footerBytes, indexRecordBytes, type ManifestSummary, type PagePlace } from './layout.ts';

export interface IndexedEntry {
  readonly index: number;
  readonly entry: ManifestEntry;
  /** Chunk index of its first chunk; an entry without chunks has that of the next one. */
  readonly firstChunk: number;
}

export interface DecodedPage {
  readonly firstEntry: number;
  readonly entries: readonly IndexedEntry[];
  /** Only in the sender's own manifest. */
  readonly inodes: BigUint64Array | undefined;
}

/** Pages that stay decoded. Chunks of several connections are near each other, so a few are enough. */
const keptPages = 8;

export class Manifest {
  readonly summary: ManifestSummary;
  readonly chunkSize: number;
  readonly #file: FileHandle;
  readonly #places: readonly PagePlace[];
  readonly #firstEntries: readonly number[];
  readonly #hasInodes: boolean;
  readonly #kept = new Map<number, Promise<DecodedPage>>();

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
    for (let page = 0; page < this.#places.length; page += 1)
      for (const { index, entry } of (await this.decoded(page)).entries) if (entry.path.length === 1) yield { index, entry };
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
    if (chunk >= this.summary.chunks) throw new PeerdError('malformed_frame', `chunk ${chunk} was not announced, there are ${this.summary.chunks}`);
    const { entries } = await this.decoded(lastAtMost(this.#places, chunk, (place) => place.firstChunk));
    // Entries without chunks share the chunk index of the file behind them, so the last one that fits is the file.
    const found = entries[lastAtMost(entries, chunk, (entry) => entry.firstChunk)];
    if (found === undefined) throw damaged('its chunk index is inconsistent');
    return found;
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
      if (this.#kept.size <= keptPages) break;
      this.#kept.delete(oldest);
    }
    return kept;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #decode(index: number): Promise<DecodedPage> {
    const { page, inodes } = await this.#read(index);
    // Its schema and the path policy were checked before it was written, and its hash just now.
    const entries = decodeCbor(page) as ManifestEntry[];
    const firstEntry = this.#firstEntries[index] ?? 0;
    let firstChunk = this.#places[index]?.firstChunk ?? 0;
    const indexed = entries.map((entry, position) => {
      const first = firstChunk;
      firstChunk += chunksOf(entry.size, this.chunkSize);
      return { index: firstEntry + position, entry: withBuffers(entry), firstChunk: first };
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

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const withBuffers = (entry: ManifestEntry): ManifestEntry => ({
  ...entry,
  path: entry.path.map(asBuffer),
  ...(entry.target === undefined ? {} : { target: asBuffer(entry.target) }),
});

const damaged = (how: string): PeerdError =>
  new PeerdError('manifest_invalid', `the stored manifest can't be used: ${how}`, { hint: 'Cancel the transfer and send again.' });

const readAt = async (file: FileHandle, position: number, length: number): Promise<Buffer> => {
  const buffer = Buffer.allocUnsafeSlow(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) throw damaged('it is cut off');
    filled += bytesRead;
  }
  return buffer;
};

/** Position of the last element whose value is at most `value`, by binary search; 0 when there is none. */
const lastAtMost = <T>(sorted: readonly T[], value: number, of: (element: T) => number = Number): number => {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (of(sorted[middle] as T) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
};
