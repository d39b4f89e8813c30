/** BLAKE3-256 (https://github.com/BLAKE3-team/BLAKE3-specs), at 5.9 GB/s a core quick enough for the main thread. */
import { blake3, Blake3Hasher } from '@napi-rs/blake-hash';

export const hash = (bytes: Uint8Array): Buffer => blake3(bytes);

const reused = new Blake3Hasher();

/** The same for many small pieces: no object is made for each, which takes longer than their hash. */
export const hashInto = (bytes: Uint8Array, into: Buffer, at: number): void => {
  reused.reset();
  reused.update(bytes);
  into.write(reused.digest('hex'), at, 'hex');
};

/** Hash over pieces that are never in memory together. */
export class RunningHash {
  readonly #hasher = new Blake3Hasher();

  update(bytes: Uint8Array): this {
    this.#hasher.update(bytes);
    return this;
  }

  digest(): Buffer {
    return this.#hasher.digestBuffer();
  }
}

/** Stands for a file that failed, in the content root. */
export const failedFileRoot: Buffer = Buffer.alloc(32);
/** BLAKE3-256 of nothing: the root of an empty file. */
export const emptyFileRoot: Buffer = hash(Buffer.alloc(0));
