/** Records of chunks that are not written yet, one behind the other in memory, the latest of a chunk last. */
import { hashBytes } from '@peerd/protocol';

export class PendingRecords {
  #indexes: number[] = [];
  #records: Buffer = Buffer.alloc(64 * hashBytes);

  get count(): number {
    return this.#indexes.length;
  }

  add(index: number, record: Uint8Array): void {
    const at = this.#indexes.length * hashBytes;
    if (at === this.#records.length) this.#records = Buffer.concat([this.#records], at * 2);
    this.#records.set(record, at);
    this.#indexes.push(index);
  }

  /** Copies those of the chunks from `start` on over `records`. */
  overlay(start: number, records: Buffer): void {
    const end = start + records.length / hashBytes;
    for (const [position, index] of this.#indexes.entries())
      if (index >= start && index < end) this.#records.copy(records, (index - start) * hashBytes, position * hashBytes, (position + 1) * hashBytes);
  }

  /** Ascending runs of chunks without a gap, copied. */
  *runs(): Generator<{ start: number; records: Buffer }, void, void> {
    const order = [...this.#indexes.keys()].sort((a, b) => (this.#indexes[a] ?? 0) - (this.#indexes[b] ?? 0) || a - b);
    // Of a chunk with several records the last one counts.
    const latest = order.filter((position, at) => this.#indexes[position] !== this.#indexes[order[at + 1] ?? -1]);
    for (let from = 0, to = 0; from < latest.length; from = to) {
      const start = this.#indexes[latest[from] ?? 0] ?? 0;
      for (to = from + 1; to < latest.length && this.#indexes[latest[to] ?? 0] === start + to - from; ) to += 1;
      const records = Buffer.allocUnsafe((to - from) * hashBytes);
      for (let at = from; at < to; at += 1) {
        const position = latest[at] ?? 0;
        this.#records.copy(records, (at - from) * hashBytes, position * hashBytes, (position + 1) * hashBytes);
      }
      yield { start, records };
    }
  }

  /** Those of `later` count where both have one. */
  append(later: PendingRecords): void {
    for (const [position, index] of later.#indexes.entries()) this.add(index, later.#records.subarray(position * hashBytes, (position + 1) * hashBytes));
  }
}
