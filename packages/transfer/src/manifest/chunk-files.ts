/** The files of one page of a manifest, found by their chunks. */
import { type ManifestEntry, PeerdError } from '@peerd/protocol';

export interface IndexedEntry {
  readonly index: number;
  readonly entry: ManifestEntry;
  /** Chunk index of its first chunk; an entry without chunks has that of the next one. */
  readonly firstChunk: number;
}

/** Quickest when they are asked for in order. */
export class ChunkFiles {
  readonly #range: { readonly start: number; readonly end: number };
  readonly #entries: readonly IndexedEntry[];
  #last = 0;

  constructor(range: { start: number; end: number }, entries: readonly IndexedEntry[]) {
    this.#range = range;
    this.#entries = entries;
  }

  has(chunk: number): boolean {
    return chunk >= this.#range.start && chunk < this.#range.end;
  }

  /** @param chunk which it has */
  of(chunk: number): IndexedEntry {
    const entries = this.#entries;
    let last = this.#last;
    if ((entries[last]?.firstChunk ?? 0) > chunk) last = 0;
    // Entries without chunks share the chunk index of the file behind them, so the last one that fits is the file.
    const next = entries[last + 1];
    if (next !== undefined && next.firstChunk <= chunk) last = lastAtMost(entries, chunk, (entry) => entry.firstChunk, last + 1);
    const found = entries[last];
    if (found === undefined) throw damaged('its chunk index is inconsistent');
    this.#last = last;
    return found;
  }
}

/** Of a manifest file that was complete once. */
export const damaged = (how: string): PeerdError =>
  new PeerdError('manifest_invalid', `the stored manifest can't be used: ${how}`, { hint: 'Cancel the transfer and send again.' });
/** Position, from `from` on, of the last element whose value is at most `value`, by binary search; `from` when there is none. */
export const lastAtMost = <T>(sorted: readonly T[], value: number, of: (element: T) => number = Number, from = 0): number => {
  let low = from;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (of(sorted[middle] as T) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
};
