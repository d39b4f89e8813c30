/**
 * Which chunks are there, and their hashes: one flat file. Records are written behind the data, at most 32 MiB of it and
 * 250 ms; after a crash what the journal claims is hashed again, so it needs no flush to stable storage of its own.
 */
import { constants, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { hashBytes, havePageHashes, MiB } from '@peerd/protocol';
import { errnoCode, ioError } from '../system-errors.ts';
import { IndexSet } from './index-set.ts';
import { decodeSeals, decodeTrailer, encodeSeal, encodeTrailer, type JournalCounters, sealMaxBytes } from './journal-layout.ts';
import { PendingRecords } from './pending-records.ts';

/** Half of the allowed lag: what comes while one flush is under way is the other half. */
const flushAfterBytes: number = 16 * MiB;
const flushAfterRecords = 4_096;
const flushAfterMs = 200;
const scanBytes: number = MiB;
/** What stands where no chunk is. */
const none: Buffer = Buffer.alloc(hashBytes);

export class ChunkJournal {
  readonly counters: JournalCounters;
  /** Chunks with a record, written or about to be. */
  readonly claimed: IndexSet;
  readonly #file: FileHandle;
  readonly #offerRoot: Buffer;
  #sealed: Buffer | undefined;
  #sealsBytes = 0;
  #pending = new PendingRecords();
  #writing = new PendingRecords();
  #pendingBytes = 0;
  #dirty = false;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  #failure: Error | undefined;

  private constructor(file: FileHandle, offerRoot: Buffer, claimed: IndexSet, counters: JournalCounters) {
    this.#file = file;
    this.#offerRoot = offerRoot;
    this.claimed = claimed;
    this.counters = counters;
  }

  /** A file that is not the journal of this manifest is emptied. @throws PeerdError `io_error`, `no_space` */
  static async open(options: { path: string; chunks: number; offerRoot: Buffer }): Promise<ChunkJournal> {
    const { chunks, offerRoot } = options;
    let file: FileHandle | undefined;
    try {
      file = await open(options.path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
      const trailerAt = chunks * hashBytes;
      const trailer = await readUpTo(file, trailerAt, hashBytes);
      const counters = decodeTrailer(trailer, offerRoot);
      if (counters !== undefined) {
        const { size } = await file.stat();
        const journal = new ChunkJournal(file, offerRoot, await readClaims(file, chunks), counters);
        const seals = decodeSeals(await readUpTo(file, trailerAt + hashBytes, Math.min(sealMaxBytes, size - trailerAt - hashBytes)));
        journal.#sealed = seals.content;
        journal.#sealsBytes = seals.end;
        return journal;
      }
      const fresh = { received: 0, rewritten: 0 };
      await file.truncate(0);
      await file.write(encodeTrailer(offerRoot, fresh), 0, hashBytes, trailerAt);
      return new ChunkJournal(file, offerRoot, new IndexSet(chunks), fresh);
    } catch (cause) {
      await file?.close();
      throw ioError(cause, 'opening the chunk journal');
    }
  }

  /** To look into, also while the owner has it open. `undefined`: there is none of this manifest. @throws PeerdError `io_error` */
  static async openToRead(options: { path: string; chunks: number; offerRoot: Buffer }): Promise<ChunkJournal | undefined> {
    let file: FileHandle | undefined;
    try {
      file = await open(options.path, constants.O_RDONLY | constants.O_NOFOLLOW);
      const counters = decodeTrailer(await readUpTo(file, options.chunks * hashBytes, hashBytes), options.offerRoot);
      if (counters !== undefined) return new ChunkJournal(file, options.offerRoot, new IndexSet(options.chunks), counters);
      await file.close();
    } catch (cause) {
      await file?.close();
      if (errnoCode(cause) !== 'ENOENT') throw ioError(cause, 'opening the chunk journal');
    }
    return undefined;
  }

  /** What `seal` stored. */
  get sealed(): Buffer | undefined {
    return this.#sealed;
  }

  /** @param bytes of data that this record stands for */
  set(index: number, hash: Buffer, bytes: number): void {
    this.claimed.set(index);
    this.#append(index, hash, bytes);
  }

  clear(index: number): void {
    this.claimed.clear(index);
    this.#append(index, none, 0);
  }

  /** Counters changed without a record. */
  touch(): void {
    this.#dirty = true;
    this.#schedule();
  }

  /** Resolves when the lag allows more data. @throws PeerdError of a failed flush */
  async room(): Promise<void> {
    while (this.#isDue() && this.#flushing !== undefined) await this.#flushing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Records of `count` chunks from `start` on; zeros for absent ones. */
  async read(start: number, count: number): Promise<Buffer> {
    const length = count * hashBytes;
    const records = await readUpTo(this.#file, start * hashBytes, length).catch((cause: unknown) => {
      throw ioError(cause, 'reading the chunk journal');
    });
    return this.#overlay(start, records.length === length ? records : Buffer.concat([records], length));
  }

  /** The same at once, for runs of a few thousand. */
  readSync(start: number, count: number): Buffer {
    const records = Buffer.alloc(count * hashBytes);
    try {
      for (let filled = 0, bytes = -1; filled < records.length && bytes !== 0; filled += bytes) bytes = readSync(this.#file.fd, records, filled, records.length - filled, start * hashBytes + filled);
    } catch (cause) {
      throw ioError(cause, 'reading the chunk journal');
    }
    return this.#overlay(start, records);
  }

  /** Writes everything that is pending. @throws PeerdError `io_error`, `no_space` */
  async flush(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
    await this.#start();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** What a failed flush left is written with the next one. */
  forgetFailure(): void {
    this.#failure = undefined;
    if (this.#dirty) this.#schedule();
  }

  /** Stores `content` behind the records, in place of the seal before; with `durable`, everything is on stable storage afterwards. */
  async seal(content: Buffer, durable: boolean): Promise<void> {
    await this.flush();
    try {
      const at = this.claimed.size * hashBytes + hashBytes + this.#sealsBytes;
      const bytes = encodeSeal(content);
      await writeAll(this.#file, bytes, at);
      await this.#file.truncate(at + bytes.length);
      if (durable) await this.#file.sync();
      this.#sealsBytes += bytes.length;
    } catch (cause) {
      throw ioError(cause, 'sealing the chunk journal');
    }
    this.#sealed = content;
  }

  /** Idempotent. What could not be written is only a loss for a resume, which hashes again. */
  async close(): Promise<void> {
    if (this.#file.fd < 0) return;
    await this.flush().catch(() => undefined);
    clearTimeout(this.#timer);
    await this.#file.close();
  }

  #append(index: number, record: Buffer, bytes: number): void {
    this.#pending.add(index, record);
    this.#pendingBytes += bytes;
    this.#dirty = true;
    if (this.#isDue()) void this.#start();
    else this.#schedule();
  }

  #isDue(): boolean {
    return this.#pendingBytes >= flushAfterBytes || this.#pending.count >= flushAfterRecords;
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#start();
    }, flushAfterMs);
  }

  /** One flush at a time, which never rejects; what came meanwhile follows when it is due. */
  #start(): Promise<void> {
    if (this.#flushing !== undefined) return this.#flushing;
    if (this.#failure !== undefined || !this.#dirty) return Promise.resolve();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushing = this.#flushNow();
    return this.#flushing;
  }

  async #flushNow(): Promise<void> {
    const bytes = this.#pendingBytes;
    this.#writing = this.#pending;
    this.#pending = new PendingRecords();
    this.#pendingBytes = 0;
    this.#dirty = false;
    try {
      for (const { start, records } of this.#writing.runs()) await writeAll(this.#file, records, start * hashBytes);
      await writeAll(this.#file, encodeTrailer(this.#offerRoot, this.counters), this.claimed.size * hashBytes);
    } catch (cause) {
      this.#failure ??= ioError(cause, 'writing the chunk journal');
      this.#writing.append(this.#pending);
      this.#pending = this.#writing;
      this.#pendingBytes += bytes;
      this.#dirty = true;
    }
    this.#writing = new PendingRecords();
    this.#flushing = undefined;
    if (this.#failure !== undefined || !this.#dirty) return;
    if (this.#isDue()) void this.#start();
    else this.#schedule();
  }

  #overlay(start: number, records: Buffer): Buffer {
    this.#writing.overlay(start, records);
    this.#pending.overlay(start, records);
    return records;
  }
}

const readUpTo = async (file: FileHandle, position: number, length: number): Promise<Buffer> => {
  const buffer = Buffer.alloc(Math.max(0, length));
  let filled = 0;
  for (let bytes = -1; filled < buffer.length && bytes !== 0; filled += bytes) ({ bytesRead: bytes } = await file.read(buffer, filled, buffer.length - filled, position + filled));
  return buffer.subarray(0, filled);
};

const writeAll = async (file: FileHandle, bytes: Buffer, position: number): Promise<void> => {
  for (let written = 0; written < bytes.length; ) written += (await file.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
};

const readClaims = async (file: FileHandle, chunks: number): Promise<IndexSet> => {
  const claimed = new IndexSet(chunks);
  for (let start = 0; start < chunks; start += scanBytes / hashBytes) {
    const records = await readUpTo(file, start * hashBytes, Math.min(scanBytes, (chunks - start) * hashBytes));
    for (let at = 0; at < records.length; at += hashBytes) if (records.compare(none, 0, hashBytes, at, at + hashBytes) !== 0) claimed.set(start + at / hashBytes);
  }
  return claimed;
};

/** Reads records in ascending order a window at a time. */
export class JournalReader {
  readonly #journal: ChunkJournal;
  #start = 0;
  #records: Buffer = Buffer.alloc(0);

  constructor(journal: ChunkJournal) {
    this.#journal = journal;
  }

  /** Whether `record` has it without reading. */
  has(chunk: number): boolean {
    return chunk >= this.#start && (chunk - this.#start) * hashBytes < this.#records.length;
  }

  record(chunk: number): Buffer {
    const from = (chunk - this.#start) * hashBytes;
    return this.#records.subarray(from, from + hashBytes);
  }

  /** The records from `start` on: at least one, at most `count`. */
  async take(start: number, count: number): Promise<Buffer> {
    if (!this.has(start)) {
      this.#start = start;
      this.#records = await this.#journal.read(start, Math.min(havePageHashes, this.#journal.claimed.size - start));
    }
    const from = (start - this.#start) * hashBytes;
    return this.#records.subarray(from, Math.min(this.#records.length, from + count * hashBytes));
  }
}
