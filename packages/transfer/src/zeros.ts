/** Chunks that are nothing but zeros: most of a sparse file. They need neither travel nor be written. */
import { hash } from './hashing.ts';

export class Zeros {
  readonly #zeros: Buffer;
  /** All chunks have the same length, but the last ones of files. */
  readonly #whole: Buffer;

  constructor(chunkSize: number) {
    this.#zeros = Buffer.alloc(chunkSize);
    this.#whole = hash(this.#zeros);
  }

  content(length: number): Buffer {
    return this.#zeros.subarray(0, length);
  }

  /** Of so many zeros. */
  hash(length: number): Buffer {
    return length === this.#zeros.length ? this.#whole : hash(this.content(length));
  }

  /** The hash of a whole chunk of zeros. */
  isWhole(found: Buffer): boolean {
    return found.equals(this.#whole);
  }

  /** Other content is told from the first bytes that differ. */
  are(content: Buffer): boolean {
    return content.equals(this.content(content.length));
  }
}
