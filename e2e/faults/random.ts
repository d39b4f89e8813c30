/** Chance that can be repeated: everything that a seed decides comes from the key stream of ChaCha20 (RFC 8439). */
import { type Cipheriv, createCipheriv, createHash } from 'node:crypto';

export class Random {
  readonly #seed: string;
  readonly #stream: Cipheriv;

  constructor(seed: string) {
    this.#seed = seed;
    this.#stream = createCipheriv('chacha20', createHash('sha256').update(seed).digest(), Buffer.alloc(16));
  }

  /** A source of its own: what is drawn there changes nothing here. */
  fork(label: string): Random {
    return new Random(`${this.#seed}/${label}`);
  }

  bytes(length: number): Buffer {
    return this.#stream.update(Buffer.alloc(length));
  }

  /** A whole number from `least` to `most`. */
  int(least: number, most: number): number {
    return least + Math.floor((this.bytes(6).readUIntBE(0, 6) / 2 ** 48) * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.int(0, 999_999) < probability * 1_000_000;
  }

  pick<Value>(values: readonly Value[]): Value {
    const value = values[this.int(0, values.length - 1)];
    if (value === undefined) throw new Error('nothing to pick from');
    return value;
  }
}
