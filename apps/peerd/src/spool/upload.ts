/** What one upload has taken so far, and where it writes. */
import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { maxEntries, PeerdError } from '@peerd/protocol';
import type { Quota } from './quota.ts';

export class Upload {
  readonly directory: Buffer;
  readonly signal: AbortSignal;
  readonly #quota: Quota;
  bytes = 0;
  entries = 0;

  constructor(directory: Buffer, quota: Quota, signal: AbortSignal) {
    this.directory = directory;
    this.signal = signal;
    this.#quota = quota;
  }

  /** @throws PeerdError `manifest_too_large`: it could not be offered */
  entry(): void {
    this.entries += 1;
    if (this.entries > maxEntries) throw new PeerdError('manifest_too_large', `more than ${maxEntries} entries can't be sent at once`, { hint: 'Send it in several parts, or pack it into an archive first.' });
  }

  /** Reads no faster than is written. @throws PeerdError `spool_full`, errno errors, the reason of the signal */
  async write(content: AsyncIterable<Uint8Array>, file: FileHandle): Promise<void> {
    for await (const part of content) {
      this.signal.throwIfAborted();
      await this.#quota.take(part.byteLength);
      this.bytes += part.byteLength;
      for (let written = 0; written < part.byteLength; ) written += (await file.write(part, written)).bytesWritten;
    }
  }

  /** Nothing of it is left on disk. */
  undo(): void {
    this.#quota.give(this.bytes);
    this.bytes = 0;
  }
}

/** The body of a request, which stays open for the answer when reading ends early. */
export const bodyOf = (content: Readable): AsyncIterable<Uint8Array> => ({ [Symbol.asyncIterator]: () => content.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array> });
