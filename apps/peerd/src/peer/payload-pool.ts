/** Memory for payloads, in a few sizes, so that what one frame gives back serves the next one. */
import { KiB } from '@peerd/protocol';

/** Beside a power of two, what stands around the content in a frame: a chunk has 45 bytes, a full pack 44 KiB. */
const aroundBytes: number = 64 * KiB;

/** Size of the memory for a payload of so many bytes: less than twice as much, with a little more. */
export const memoryBytesFor = (length: number): number => {
  let bytes = aroundBytes;
  while (bytes + aroundBytes < length) bytes *= 2;
  return bytes + aroundBytes;
};

/** Left to the garbage collector it would stay for long: it sees only small handles. */
const free = ({ buffer }: Buffer): void => void (buffer as ArrayBuffer).transfer(0);

export class PayloadPool {
  readonly #maxKept: number;
  /** That nobody uses; the one given back last stands last. */
  #kept: Buffer[] = [];
  #keptBytes = 0;

  /** @param maxKept bytes that nobody uses */
  constructor(maxKept: number) {
    this.#maxKept = maxKept;
  }

  /** With any content. @param bytes as `memoryBytesFor` says */
  take(bytes: number): Buffer {
    const at = this.#kept.findLastIndex(({ length }) => length === bytes);
    const [found] = at < 0 ? [] : this.#kept.splice(at, 1);
    if (found === undefined) return Buffer.allocUnsafeSlow(bytes);
    this.#keptBytes -= bytes;
    return found;
  }

  /** What `take` gave, and nobody reads or writes any more. Once each. The oldest gives way. */
  give(memory: Buffer): void {
    this.#kept.push(memory);
    this.#keptBytes += memory.length;
    while (this.#keptBytes > this.#maxKept) this.#drop();
  }

  /** Keeps nothing. */
  clear(): void {
    while (this.#kept.length > 0) this.#drop();
  }

  #drop(): void {
    const oldest = this.#kept.shift();
    if (oldest === undefined) return;
    this.#keptBytes -= oldest.length;
    free(oldest);
  }
}
