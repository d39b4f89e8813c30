/** One bit for each chunk, or each entry, of a transfer. */
export class IndexSet {
  readonly #bits: Uint8Array;
  readonly size: number;
  #count = 0;

  constructor(size: number) {
    this.size = size;
    this.#bits = new Uint8Array(Math.ceil(size / 8));
  }

  /** How many are set. */
  get count(): number {
    return this.#count;
  }

  has(index: number): boolean {
    return ((this.#bits[index >>> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  set(index: number): void {
    if (this.has(index)) return;
    this.#bits[index >>> 3] = (this.#bits[index >>> 3] ?? 0) | (1 << (index & 7));
    this.#count += 1;
  }

  clear(index: number): void {
    if (!this.has(index)) return;
    this.#bits[index >>> 3] = (this.#bits[index >>> 3] ?? 0) & ~(1 << (index & 7));
    this.#count -= 1;
  }

  /** The first set index from `from` on and below `end`; `end` when there is none. */
  next(from: number, end: number = this.size): number {
    let index = from;
    while (index < end && !this.has(index)) index = (index & 7) === 0 && this.#bits[index >>> 3] === 0 ? index + 8 : index + 1;
    return Math.min(index, end);
  }

  /** Ascending runs of set bits, each of at most `longest`. */
  *runs(longest: number): Generator<{ start: number; count: number }, void, void> {
    let end = 0;
    for (let start = this.next(0); start < this.size; start = this.next(end)) {
      end = start + 1;
      while (end < this.size && end - start < longest && this.has(end)) end += 1;
      yield { start, count: end - start };
    }
  }

  copy(): IndexSet {
    const copy = new IndexSet(this.size);
    copy.#bits.set(this.#bits);
    copy.#count = this.#count;
    return copy;
  }
}
