/**
 * Buffers of one size that are used again. Fresh memory of this size costs a page fault for each 4 KiB of it, and waits for
 * a garbage collector that sees only its small handles.
 */
export class BufferPool {
  readonly bytes: number;
  readonly #kept: number;
  readonly #free: Buffer[] = [];

  /** @param kept how many that nobody uses are kept at most */
  constructor(bytes: number, kept: number) {
    this.bytes = bytes;
    this.#kept = kept;
  }

  /** A buffer with any content. One that never comes back is only a loss. */
  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.bytes);
  }

  /** The buffer, which `take` gave, is neither read nor written any more. Once each. */
  give(buffer: Buffer): void {
    if (buffer.length === this.bytes && this.#free.length < this.#kept) this.#free.push(buffer);
  }
}
