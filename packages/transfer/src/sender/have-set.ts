/** What the receiver says it has: runs of verified chunks with their hashes. */
import { hashBytes, PeerdError } from '@peerd/protocol';

interface Run {
  readonly start: number;
  readonly hashes: Uint8Array;
}

export class HaveSet {
  readonly #chunks: number;
  readonly #runs: Run[] = [];
  #end = 0;
  #count = 0;

  /** @param chunks of the whole transfer */
  constructor(chunks: number) {
    this.#chunks = chunks;
  }

  /** Runs ascend and don't overlap. @throws PeerdError `malformed_frame` */
  add(start: number, hashes: Uint8Array): void {
    const count = hashes.length / hashBytes;
    if (!Number.isInteger(count)) throw new PeerdError('malformed_frame', 'have: a hash is cut off');
    if (count === 0) return;
    if (start < this.#end) throw new PeerdError('malformed_frame', `have: a run starts at chunk ${start}, the one before ended at ${this.#end}`);
    if (start + count > this.#chunks) throw new PeerdError('malformed_frame', `have: a run ends at chunk ${start + count}, there are ${this.#chunks}`);
    this.#runs.push({ start, hashes });
    this.#end = start + count;
    this.#count += count;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Every chunk is there; what it should be, its hash says. */
  get isWhole(): boolean {
    return this.#count === this.#chunks;
  }

  /** The hash that the receiver has for this chunk. */
  hash(chunk: number): Uint8Array | undefined {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#runs[middle]?.start ?? 0) <= chunk) low = middle + 1;
      else high = middle;
    }
    const run = this.#runs[low - 1];
    if (run === undefined) return undefined;
    const at = (chunk - run.start) * hashBytes;
    return at < run.hashes.length ? run.hashes.subarray(at, at + hashBytes) : undefined;
  }
}
