/** Small files: read whole, many at once, in the file thread; they travel packed. */
import { BufferPool, type Chunk, encodePack, hashBytes, MiB, packMaxBytes } from '@peerd/protocol';
import { EntryBatch } from '../thread/entry-batch.ts';
import { checkOnly, type SourceRead } from '../thread/source-files.ts';
import { isSkippable, isWanted, ownRecords, type Piece, type Sending, type SourceFile } from './sending.ts';
import { entryFailureOf } from './source-problems.ts';

/** Less than a pack may hold: smaller batches overlap better. */
const batchFiles = 256;
/**
 * What a batch takes of the read-ahead, whatever is in it: four of them keep thread and socket busy, and with more the objects
 * of their files grow old in V8's heap.
 */
const aheadBytes: number = 2 * MiB;
/** Of the memory for the contents of a batch: as many as are read ahead and on their way. */
const keptBatches = 6;

export class SmallFiles {
  readonly #sending: Sending;
  /** It goes to the file thread and comes back. */
  readonly #memory = new BufferPool(packMaxBytes, keptBatches);
  #files: SourceFile[] = [];
  #bytes = 0;

  constructor(sending: Sending) {
    this.#sending = sending;
  }

  /** Nothing more fits before a flush. */
  isFullFor(file: SourceFile): boolean {
    return this.#files.length >= batchFiles || this.#bytes + file.entry.size > packMaxBytes;
  }

  add(file: SourceFile): void {
    this.#files.push(file);
    this.#bytes += file.entry.size;
  }

  async flush(): Promise<void> {
    if (this.#files.length === 0) return;
    const files = this.#files;
    this.#files = [];
    this.#bytes = 0;
    await this.#sending.window.add(aheadBytes, () => this.#read(files));
  }

  async #read(files: readonly SourceFile[]): Promise<Piece | undefined> {
    const first = files[0]?.firstChunk ?? 0;
    const last = files.at(-1);
    const own = await ownRecords(this.#sending, first, (last?.firstChunk ?? first) + (last?.entry.size === 0 ? 0 : 1) - first);
    const batch = new EntryBatch();
    const needed = files.map((file) => {
      const need = file.entry.size > 0 && !isSkippable(this.#sending, file.firstChunk, own(file.firstChunk));
      batch.add(file.entry, file.inode, need ? 0 : checkOnly);
      return need;
    });
    const packed = batch.take();
    await this.#sending.journal.room();
    const memory = new Uint8Array(this.#memory.take().buffer as ArrayBuffer);
    const read = await this.#sending.thread.call('sourcesRead', { entries: packed, memory }, [packed, memory]);
    const release = (): void => this.#memory.give(Buffer.from(read.content.buffer));
    this.#sending.stages.add('read', read.readMs);
    this.#sending.stages.add('hash', read.hashMs);
    const chunks = this.#chunksOf(files, needed, read);
    if (chunks.length === 0) {
      release();
      return undefined;
    }
    return { buffers: encodePack(chunks), release, chunks: chunks.length, bytes: chunks.reduce((sum, chunk) => sum + chunk.content.length, 0) };
  }

  #chunksOf(files: readonly SourceFile[], needed: readonly boolean[], read: SourceRead): Chunk[] {
    const content = Buffer.from(read.content.buffer);
    const hashes = Buffer.from(read.hashes.buffer);
    const chunks: Chunk[] = [];
    let contentAt = 0;
    let hashAt = 0;
    for (const [position, file] of files.entries()) {
      const problem = read.problems.get(position);
      if (problem !== undefined) {
        this.#sending.fail(file.index, entryFailureOf(problem));
        continue;
      }
      if (needed[position] !== true) continue;
      const chunk = {
        index: file.firstChunk,
        hash: hashes.subarray(hashAt, hashAt + hashBytes),
        content: content.subarray(contentAt, contentAt + file.entry.size),
      };
      contentAt += file.entry.size;
      hashAt += hashBytes;
      if (isWanted(this.#sending, chunk.index, chunk.hash, chunk.content.length)) chunks.push(chunk);
    }
    return chunks;
  }
}
