/** Brings verified chunks to the disk behind the frames: large ones at their position, where zeros stay holes, small files whole in the file thread. */
import { read } from 'node:fs';
import { promisify } from 'node:util';
import { BufferPool, MiB, packMaxBytes } from '@peerd/protocol';
import type { Manifest } from '../manifest/manifest.ts';
import type { StageClock } from '../stage-clock.ts';
import { wholeFileBytes } from '../store/finish.ts';
import type { Zeros } from '../zeros.ts';
import { ioError } from '../system-errors.ts';
import { EntryBatch, packEntries } from '../thread/entry-batch.ts';
import { type FileThread, FileThreadError } from '../thread/file-thread.ts';
import { type Arrival, nameOf } from './arrivals.ts';
import { FileHandles, type OpenFile } from './file-handles.ts';
import { WriteBehind } from './write-behind.ts';

const readAt = promisify(read);
const limits = { jobs: 8, bytes: 6 * MiB };
/** Of small files, which one thread writes one after the other: more would only wait, and its many objects grow old in V8's heap. */
const packLimits = { jobs: 4, bytes: 4 * MiB };

export interface ChunkWriterOptions {
  readonly manifest: Manifest;
  readonly zeros: Zeros;
  readonly thread: FileThread;
  readonly stages: StageClock;
  /** They are on disk. */
  onWritten(arrivals: readonly Arrival[]): void;
  /** They are not, and will not be. */
  onLost(arrivals: readonly Arrival[]): void;
}

export class ChunkWriter {
  readonly #options: ChunkWriterOptions;
  readonly #behind = new WriteBehind(limits);
  readonly #packsBehind = new WriteBehind(packLimits);
  readonly #handles = new FileHandles();
  /** To look at what stands where zeros belong. */
  readonly #seen: BufferPool;
  /** For contents of small files: it goes to the file thread and comes back. */
  readonly #packed = new BufferPool(packMaxBytes, packLimits.jobs);

  constructor(options: ChunkWriterOptions) {
    this.#options = options;
    this.#seen = new BufferPool(options.manifest.chunkSize, limits.jobs);
  }

  /**
   * Resolves when more may come.
   *
   * @param release called when the contents are not read any more
   * @throws PeerdError `io_error`, `no_space` of these or earlier chunks
   */
  async write(arrivals: readonly Arrival[], release?: () => void): Promise<void> {
    const small = arrivals.filter(({ file }) => file.entry.size <= wholeFileBytes);
    const large = arrivals.filter(({ file }) => file.entry.size > wholeFileBytes);
    let left = large.length + (small.length > 0 ? 1 : 0);
    if (left === 0) release?.();
    const settled = (): void => {
      left -= 1;
      if (left === 0) release?.();
    };
    const waits = large.map((arrival) => this.#run(this.#behind, [arrival], settled, () => this.#writeLarge(arrival)));
    if (small.length > 0) waits.push(this.#run(this.#packsBehind, small, settled, () => this.#writeSmall(small)));
    await Promise.all(waits);
  }

  assertHealthy(): void {
    this.#behind.assertHealthy();
    this.#packsBehind.assertHealthy();
  }

  forgetFailure(): void {
    this.#behind.forgetFailure();
    this.#packsBehind.forgetFailure();
  }

  /** Nothing is under way and no file is open. */
  async idle(): Promise<void> {
    await Promise.all([this.#behind.idle(), this.#packsBehind.idle()]);
    await this.#handles.close();
  }

  async #run(behind: WriteBehind, arrivals: readonly Arrival[], settled: () => void, write: () => Promise<void>): Promise<void> {
    const bytes = arrivals.reduce((sum, { content }) => sum + content.length, 0);
    await behind.run(bytes, async () => {
      try {
        await this.#write(arrivals, write);
        this.#options.onWritten(arrivals);
      } finally {
        settled();
      }
    });
  }

  async #write(arrivals: readonly Arrival[], write: () => Promise<void>): Promise<void> {
    try {
      await this.#options.stages.time('write', write);
    } catch (cause) {
      this.#options.onLost(arrivals);
      const at = cause instanceof FileThreadError ? arrivals[cause.position ?? 0] : arrivals[0];
      throw ioError(cause, at === undefined ? 'writing' : `writing "${nameOf(at.file)}"`);
    }
  }

  async #writeLarge({ index, content, hash, file, isHole }: Arrival): Promise<void> {
    const { manifest, thread, zeros } = this.#options;
    const start = (index - file.firstChunk) * manifest.chunkSize;
    const open = (): Promise<OpenFile> => thread.call('stagedOpenForWrite', { entry: packEntries([file.entry]) });
    await this.#handles.with(file.index, open, async ({ fd, extendedFrom, writes }) => {
      if (isHole || zeros.isWhole(hash)) {
        // Nothing was ever written behind the former end. Before it may stand what an interrupted run has left.
        if (start >= extendedFrom || (await this.#readsAsZeros(fd, start, content.length))) return;
      }
      await writes.write(content, start);
    });
  }

  async #readsAsZeros(fd: number, start: number, length: number): Promise<boolean> {
    const seen = this.#seen.take();
    let filled = 0;
    for (let bytes = -1; filled < length && bytes !== 0; filled += bytes) ({ bytesRead: bytes } = await readAt(fd, seen, filled, length - filled, start + filled));
    const areZeros = filled === length && this.#options.zeros.are(seen.subarray(0, length));
    this.#seen.give(seen);
    return areZeros;
  }

  async #writeSmall(arrivals: readonly Arrival[]): Promise<void> {
    const batch = new EntryBatch();
    for (const { file } of arrivals) batch.add(file.entry);
    const bytes = arrivals.reduce((sum, arrival) => sum + arrival.content.length, 0);
    const memory = bytes <= packMaxBytes ? this.#packed.take() : Buffer.allocUnsafeSlow(bytes);
    const content = new Uint8Array(memory.buffer as ArrayBuffer);
    let used = 0;
    for (const arrival of arrivals) {
      content.set(arrival.content, used);
      used += arrival.content.length;
    }
    const entries = batch.take();
    const written = await this.#options.thread.call('stagedWrite', { entries, content }, [entries, content]);
    this.#packed.give(Buffer.from(written.buffer));
  }
}
