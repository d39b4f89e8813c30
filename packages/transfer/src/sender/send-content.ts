/**
 * The way of content out of the sender:
 *
 *  1. files come in manifest order; those that failed before are left out
 *  2. small files gather in batches that the file thread reads (small-files.ts), large ones are read by chunk (large-file.ts)
 *  3. each chunk is hashed, its hash journalled, and dropped when the receiver has it already
 *  4. frames go to the sink in order, at most 4 MiB read ahead, compressed where that pays (compression.ts)
 *  5. the content root is made from the journal
 */
import { BufferPool, chunkContentAt, KiB, MiB, PeerdError } from '@peerd/protocol';
import { abortable } from '../abortable.ts';
import type { DecodedPage, Manifest } from '../manifest/manifest.ts';
import type { SourceRoot } from '../manifest/scan.ts';
import { OrderedWindow } from '../ordered-window.ts';
import type { StageClock } from '../stage-clock.ts';
import { ChunkJournal } from '../store/chunk-journal.ts';
import { contentRootOf } from '../store/content-root.ts';
import { Zeros } from '../zeros.ts';
import { FileThread } from '../thread/file-thread.ts';
import type { Compression } from './compression.ts';
import type { HaveSet } from './have-set.ts';
import { sendLargeFile } from './large-file.ts';
import type { Turns } from './pacer.ts';
import { type Piece, type Sending, type SourceFile, wireBytesOf } from './sending.ts';
import { SmallFiles } from './small-files.ts';
import type { EntryFailure, EntryFailureCode } from './source-problems.ts';

/** Where frames go: resolves when more may be written. The buffers belong to the sink until it calls `release`; it need not. */
export interface DataSink {
  write(buffers: readonly Uint8Array[], release?: () => void): Promise<void>;
}

export interface SendContentOptions {
  readonly manifest: Manifest;
  readonly roots: readonly SourceRoot[];
  readonly journalPath: string;
  readonly have: HaveSet;
  /** The receiver takes hole frames. */
  readonly holes?: boolean;
  /** The receiver takes compressed frames, and the sender may make them. */
  readonly compression?: Compression;
  readonly alreadyFailed: ReadonlySet<number>;
  readonly sink: DataSink;
  /** Rate limits; each piece waits for its turn at all of them. */
  readonly pacers?: readonly Turns[];
  onEntryFailed(entry: number, code: EntryFailureCode, message: string): void;
  /** @param wireBytes of the frame that carried them */
  onChunksSent(count: number, bytes: number, wireBytes: number): void;
  readonly stages: StageClock;
  readonly signal: AbortSignal;
}

const readAheadBytes: number = 4 * MiB;
/** What is read ahead, and what is on its way. */
const keptBytes: number = readAheadBytes + 4 * MiB;
const smallFileBytes: number = 64 * KiB;

/**
 * Sends every chunk that `have` lacks.
 *
 * @throws the reason of `signal`, what the sink throws, PeerdError `io_error` of the journal or the manifest
 */
export const sendContent = async (options: SendContentOptions): Promise<{ contentRoot: Buffer; failed: number }> => {
  const { manifest, signal, stages } = options;
  signal.throwIfAborted();
  const failed = new Set(options.alreadyFailed);
  const write = async (piece: Piece): Promise<void> => {
    const wireBytes = wireBytesOf(piece);
    for (const pacer of options.pacers ?? []) await stages.time('limit', () => pacer.turn(wireBytes, signal));
    await stages.time('socket', () => abortable(options.sink.write(piece.buffers, piece.release), signal));
    options.onChunksSent(piece.chunks, piece.bytes, wireBytes);
  };
  const window = new OrderedWindow<Piece | undefined>(readAheadBytes, async (piece) => {
    if (piece === undefined) return;
    signal.throwIfAborted();
    await (options.compression === undefined ? write(piece) : options.compression.pass(piece, stages, write));
  });
  const journal = await ChunkJournal.open({ path: options.journalPath, chunks: manifest.summary.chunks, offerRoot: manifest.summary.offerRoot });
  const thread = new FileThread();
  const fail = (entry: number, failure: EntryFailure): void => {
    if (failed.has(entry)) return;
    failed.add(entry);
    options.onEntryFailed(entry, failure.code, failure.message);
  };
  const pool = new BufferPool(chunkContentAt + manifest.chunkSize, Math.ceil(keptBytes / manifest.chunkSize));
  const sending: Sending = { chunkSize: manifest.chunkSize, journal, have: options.have, holes: options.holes ?? false, zeros: new Zeros(manifest.chunkSize), thread, pool, window, stages, signal, fail };
  try {
    await thread.call('sourcesOpen', { roots: options.roots.map(({ name, source }) => ({ name, source })) });
    const small = new SmallFiles(sending);
    for (let page = 0; page < manifest.pages; page += 1)
      for (const file of sourceFiles(await manifest.decoded(page))) {
        signal.throwIfAborted();
        if (failed.has(file.index)) continue;
        if (file.entry.size > smallFileBytes) await sendLargeFile(sending, file);
        else {
          // Most of a million files wait for nothing.
          if (small.isFullFor(file)) await small.flush();
          small.add(file);
        }
      }
    await small.flush();
    await window.drained();
    await journal.flush();
    const { contentRoot, missing } = await contentRootOf(manifest, journal, (entry) => failed.has(entry));
    if (missing > 0) throw new PeerdError('internal', `${missing} chunks were neither sent nor known to be at the receiver`);
    return { contentRoot, failed: failed.size };
  } finally {
    // Nothing may read any more when the thread and the journal go.
    await window.drained().catch(() => undefined);
    await thread.close();
    await journal.close();
  }
};

function* sourceFiles({ entries, inodes }: DecodedPage): Generator<SourceFile, void, void> {
  for (const [position, { index, entry, firstChunk }] of entries.entries()) if (entry.type === 'file') yield { index, entry, firstChunk, inode: inodes?.[position] ?? 0n };
}
