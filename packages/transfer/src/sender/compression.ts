/** Compresses pieces on their way to the sink, where that makes the content arrive sooner (compression-policy.ts). */
import { encodeCompressedHeader, frameHeaderBytes, isCompressible } from '@peerd/protocol';
import type { StageClock } from '../stage-clock.ts';
import { compress } from '../zstd.ts';
import { afterPiece, type CompressionState, levelOf, type Passed, unknownLine } from './compression-policy.ts';
import { type Piece, wireBytesOf } from './sending.ts';

/** Below this nothing is gained. */
const minBytes = 1_024;
/** A frame that shrinks by less travels as it is: the receiver would have to expand it. */
const worthwhile = 0.92;

export class Compression {
  /** Frames that were tried, those that travelled compressed, and how much shorter these were. */
  readonly counters: { tried: number; compressed: number; savedBytes: number } = { tried: 0, compressed: 0, savedBytes: 0 };
  #state: CompressionState = unknownLine;
  #lastPassed: number | undefined;

  /** Sends one piece after the other. @throws what `send` throws */
  async pass(piece: Piece, stages: StageClock, send: (piece: Piece) => Promise<void>): Promise<void> {
    const begun = this.#lastPassed ?? performance.now();
    const bytes = wireBytesOf(piece);
    const counts = bytes >= minBytes && isCompressible(typeOf(piece));
    const level = counts ? levelOf(this.#state) : undefined;
    let tried: Passed['tried'];
    let sent = piece;
    if (level !== undefined) {
      const started = performance.now();
      const shrunk = await stages.time('compress', () => shrink(piece, level));
      tried = { level, ms: performance.now() - started, shrank: shrunk !== undefined };
      this.counters.tried += 1;
      if (shrunk !== undefined) {
        this.counters.compressed += 1;
        this.counters.savedBytes += bytes - wireBytesOf(shrunk);
        sent = shrunk;
      }
    }
    await send(sent);
    this.#lastPassed = performance.now();
    if (counts) this.#state = afterPiece(this.#state, { bytes, ms: this.#lastPassed - begun, ...(tried === undefined ? {} : { tried }) });
  }
}

const typeOf = ({ buffers }: Piece): number => buffers[0]?.[frameHeaderBytes - 1] ?? 0;

/** What is shorter stands in the memory of the piece, if it was one buffer, or in that into which it was put together. */
const shrink = async (piece: Piece, level: number): Promise<Piece | undefined> => {
  const [first] = piece.buffers;
  const frame = piece.buffers.length === 1 && first !== undefined ? Buffer.from(first.buffer, first.byteOffset, first.byteLength) : Buffer.concat(piece.buffers);
  const plain = frame.subarray(frameHeaderBytes);
  const made = await compress(plain, level, Math.floor(plain.length * worthwhile));
  if (made === undefined) return undefined;
  const contentBytes = made.parts.reduce((sum, part) => sum + part.length, 0);
  let end = encodeCompressedHeader(typeOf(piece), plain.length, contentBytes).copy(frame);
  for (const part of made.parts) end += part.copy(frame, end);
  made.release();
  return { ...piece, buffers: [frame.subarray(0, end)] };
};
