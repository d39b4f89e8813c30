/**
 * Frame codec. A frame is `u32 length (big-endian, payload bytes) | u8 type | payload`.
 *
 * The decoder owns no socket: bytes go in at any split, frames come out. The length is checked against the bound of
 * the type before anything is allocated for it.
 */
import { PeerdError } from '../errors.ts';
import { frameHeaderBytes, KiB, unknownFrameMaxBytes } from '../limits.ts';
import { BufferPool } from './buffer-pool.ts';

export interface Frame {
  readonly type: number;
  /** The payload. For a frame that arrived in one piece this is a view of the input, not a copy. */
  readonly payload: Buffer;
  /**
   * Gives the memory of the payload back to the decoder, for a later frame: nothing may read it from then on. Whoever takes
   * in many large frames calls it; without it the memory is collected some time.
   */
  readonly release?: () => void;
}

/** Largest payload, in bytes, of each frame type that may arrive here. */
export interface FrameBounds {
  get(type: number): number | undefined;
}

/** The five header bytes of a frame with `length` payload bytes. */
export const encodeFrameHeader = (type: number, length: number): Buffer => {
  const header = Buffer.allocUnsafe(frameHeaderBytes);
  header.writeUInt32BE(length, 0);
  header.writeUInt8(type, 4);
  return header;
};

export const encodeFrame = (type: number, payload: Uint8Array): Buffer =>
  Buffer.concat([encodeFrameHeader(type, payload.byteLength), payload]);

/** Payloads from this size on are put together in memory that `release` gives back. */
const pooledFromBytes: number = 64 * KiB;
const keptPayloads = 8;

export class FrameDecoder {
  readonly #bounds: FrameBounds;
  readonly #header: Buffer = Buffer.alloc(frameHeaderBytes);
  #headerFilled = 0;
  #payload: Buffer | undefined;
  #payloadFilled = 0;
  #release: (() => void) | undefined;
  /** For the largest payload so far. */
  #pool: BufferPool | undefined;

  constructor(bounds: FrameBounds) {
    this.#bounds = bounds;
  }

  /** Bytes of an unfinished frame that are held. */
  get pending(): number {
    return this.#headerFilled + this.#payloadFilled;
  }

  /** Takes `input` if all of it belongs to the payload under way and does not complete it. For use between calls of `push`. */
  absorb(input: Buffer): boolean {
    if (this.#payload === undefined || input.length >= this.#payload.length - this.#payloadFilled) return false;
    input.copy(this.#payload, this.#payloadFilled);
    this.#payloadFilled += input.length;
    return true;
  }

  /**
   * Frames completed by `input`. Once it has thrown, the stream has no frame boundary any more: the header that was refused
   * stays, and is refused at each further call.
   *
   * @throws PeerdError `frame_too_large`
   */
  *push(input: Buffer): Generator<Frame, void, void> {
    let offset = 0;
    while (offset < input.length) {
      if (this.#headerFilled < frameHeaderBytes) {
        const take = Math.min(frameHeaderBytes - this.#headerFilled, input.length - offset);
        input.copy(this.#header, this.#headerFilled, offset, offset + take);
        this.#headerFilled += take;
        offset += take;
        if (this.#headerFilled < frameHeaderBytes) return;
      }
      const type = this.#header.readUInt8(4);
      const length = this.#checkedLength(type);
      if (this.#payload === undefined && input.length - offset >= length) {
        this.#headerFilled = 0;
        const payload = input.subarray(offset, offset + length);
        offset += length;
        yield { type, payload };
        continue;
      }
      this.#payload ??= this.#allocate(length);
      const take = Math.min(length - this.#payloadFilled, input.length - offset);
      input.copy(this.#payload, this.#payloadFilled, offset, offset + take);
      this.#payloadFilled += take;
      offset += take;
      if (this.#payloadFilled < length) return;
      const payload = this.#payload;
      const release = this.#release;
      this.#payload = undefined;
      this.#release = undefined;
      this.#payloadFilled = 0;
      this.#headerFilled = 0;
      yield release === undefined ? { type, payload } : { type, payload, release };
    }
  }

  #allocate(length: number): Buffer {
    if (length < pooledFromBytes) return Buffer.allocUnsafeSlow(length);
    if (this.#pool === undefined || this.#pool.bytes < length) this.#pool = new BufferPool(length, keptPayloads);
    const pool = this.#pool;
    const memory = pool.take();
    let isReleased = false;
    this.#release = () => {
      if (!isReleased) pool.give(memory);
      isReleased = true;
    };
    return memory.subarray(0, length);
  }

  #checkedLength(type: number): number {
    const length = this.#header.readUInt32BE(0);
    const bound = this.#bounds.get(type) ?? unknownFrameMaxBytes;
    if (length <= bound) return length;
    throw new PeerdError('frame_too_large', `frame type ${type} announces ${length} bytes, at most ${bound} are allowed`);
  }
}
