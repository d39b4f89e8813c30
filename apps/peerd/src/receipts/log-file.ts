/** STATE/receipts.log on the disk: reads at a position, appends durably, never writes over what is there. */
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type DecodedReceiptEntry, decodeReceiptEntry, KiB, PeerdError, receiptEntryMaxBytes, receiptLogHeader } from '@peerd/protocol';

const windowBytes: number = 256 * KiB;

export class ReceiptLogFile {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Makes the file with its header when there is none. */
  static async open(path: string): Promise<ReceiptLogFile> {
    // Neither 'a', which ignores positions, nor 'w': what is there stays.
    const file = await open(path, 'r+').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return open(path, 'wx+', 0o600);
      throw error;
    });
    const log = new ReceiptLogFile(file);
    if ((await log.size()) === 0) {
      await log.append(0, receiptLogHeader);
      await using directory = await open(dirname(path), 'r');
      await directory.sync();
    }
    return log;
  }

  async size(): Promise<number> {
    return (await this.#file.stat()).size;
  }

  async hasHeader(): Promise<boolean> {
    return (await this.#read(0, receiptLogHeader.length)).equals(receiptLogHeader);
  }

  async entryAt(offset: number): Promise<DecodedReceiptEntry> {
    return decodeReceiptEntry(await this.#read(offset, receiptEntryMaxBytes));
  }

  /** Entry after entry from `offset` to `end`; ends after one behind which the next cannot be found. */
  async *entries(offset: number, end: number): AsyncGenerator<{ offset: number; entry: DecodedReceiptEntry }, void, void> {
    let window: Buffer = Buffer.alloc(0);
    let at = offset;
    for (let start = offset; at < end; ) {
      if (at + receiptEntryMaxBytes > start + window.length && start + window.length < end) {
        start = at;
        window = await this.#read(start, Math.min(windowBytes, end - start));
      }
      const entry = decodeReceiptEntry(window.subarray(at - start));
      yield { offset: at, entry };
      if (entry.kind === 'incomplete' || entry.bytes === 0) return;
      at += entry.bytes;
    }
  }

  /** On stable storage when it resolves; else the file is as before. @throws PeerdError `no_space`, `io_error` */
  async append(offset: number, bytes: Buffer): Promise<void> {
    const before = await this.size();
    try {
      for (let written = 0; written < bytes.length; ) written += (await this.#file.write(bytes, written, bytes.length - written, offset + written)).bytesWritten;
      await this.#file.sync();
    } catch (cause) {
      await this.cut(before).catch(() => {});
      const { code, message } = cause as NodeJS.ErrnoException;
      throw new PeerdError(code === 'ENOSPC' || code === 'EDQUOT' ? 'no_space' : 'io_error', `the receipt cannot be stored: ${message}`, { cause, hint: 'The state directory must be writable and its file system not full.' });
    }
  }

  async cut(size: number): Promise<void> {
    await this.#file.truncate(size);
    await this.#file.sync();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** Less at the end of the file. */
  async #read(offset: number, length: number): Promise<Buffer> {
    const buffer = Buffer.alloc(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#file.read(buffer, filled, length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }
}
