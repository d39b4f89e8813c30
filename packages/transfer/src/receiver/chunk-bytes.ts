import { chunksOf } from '../manifest/layout.ts';
import type { IndexedEntry, Manifest } from '../manifest/manifest.ts';
import type { IndexSet } from '../store/index-set.ts';

/** The last chunk of a file is shorter than the others. */
export const bytesOfChunk = ({ entry, firstChunk }: IndexedEntry, chunk: number, chunkSize: number): number => Math.min(chunkSize, entry.size - (chunk - firstChunk) * chunkSize);

/** Sum over the chunks that are set. */
export const bytesOfChunks = async (manifest: Manifest, chunks: IndexSet): Promise<number> => {
  const { summary, chunkSize } = manifest;
  if (chunks.count === 0) return 0;
  if (chunks.count === summary.chunks) return summary.bytes;
  let bytes = 0;
  for (let page = 0; page < manifest.pages; page += 1) {
    const range = manifest.chunkRange(page);
    if (chunks.next(range.start, range.end) === range.end) continue;
    for (const file of (await manifest.decoded(page)).entries) {
      const end = file.firstChunk + chunksOf(file.entry.size, chunkSize);
      for (let chunk = chunks.next(file.firstChunk, end); chunk < end; chunk = chunks.next(chunk + 1, end)) bytes += bytesOfChunk(file, chunk, chunkSize);
    }
  }
  return bytes;
};
