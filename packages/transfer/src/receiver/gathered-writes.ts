/**
 * Writes to one file, one at a time: the kernel locks a file for each of them, and threads that wait for the lock spin. What
 * comes meanwhile and adjoins goes out as one.
 */
import { writev } from 'node:fs';
import { promisify } from 'node:util';

/** Writes some of the bytes, in order, from `position` on. */
export type WriteSome = (fd: number, buffers: readonly Uint8Array[], position: number) => Promise<{ bytesWritten: number }>;

const writeSome: WriteSome = promisify(writev);
/** IOV_MAX of Linux. */
const maxBuffers = 1_024;

interface Waiting {
  readonly position: number;
  readonly content: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (cause: unknown) => void;
}

export class GatheredWrites {
  readonly #fd: number;
  readonly #writeSome: WriteSome;
  #waiting: Waiting[] = [];
  #isWriting = false;

  constructor(fd: number, write: WriteSome = writeSome) {
    this.#fd = fd;
    this.#writeSome = write;
  }

  /** Resolves when all of `content` stands at `position`; it must not change before. @throws what the kernel says */
  write(content: Uint8Array, position: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ position, content, resolve, reject });
    if (!this.#isWriting) void this.#writeWaiting();
    return promise;
  }

  /** Never rejects. */
  async #writeWaiting(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const run = this.#takeRun();
      try {
        await this.#writeRun(run);
        for (const { resolve } of run) resolve();
      } catch (cause) {
        for (const { reject } of run) reject(cause);
      }
    }
    this.#isWriting = false;
  }

  /** The oldest, and those behind it that go on where the one before ends. */
  #takeRun(): Waiting[] {
    let end: number | undefined;
    let count = 0;
    for (const { position, content } of this.#waiting) {
      if (count === maxBuffers || (end !== undefined && position !== end)) break;
      end = position + content.length;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #writeRun(run: readonly Waiting[]): Promise<void> {
    let buffers = run.map(({ content }) => content);
    let at = run[0]?.position ?? 0;
    while (buffers.length > 0) {
      const { bytesWritten } = await this.#writeSome(this.#fd, buffers, at);
      at += bytesWritten;
      buffers = rest(buffers, bytesWritten);
    }
  }
}

/** What is left of them after so many bytes. */
const rest = (buffers: readonly Uint8Array[], bytes: number): Uint8Array[] => {
  const left: Uint8Array[] = [];
  let skip = bytes;
  for (const buffer of buffers) {
    if (skip < buffer.length) left.push(buffer.subarray(skip));
    skip = Math.max(0, skip - buffer.length);
  }
  return left;
};
