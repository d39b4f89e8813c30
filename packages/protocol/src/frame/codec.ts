/**
 * Frame codec. A frame is `u32 length (big-endian, payload bytes) | u8 type | payload`.
 *
 * The decoder owns no socket: bytes go in at any split, frames come out. The length is checked against the bound of
 * the type before anything is allocated for it.
 */
import { PeerdError } from '../errors.ts';
import { frameHeaderBytes, unknownFrameMaxBytes } from '../limits.ts';

export interface Frame {
  readonly type: number;
  /** The payload. For a frame that arrived in one piece this is a view of the input, not a copy. */
  readonly payload: Buffer;
  /** Only where the payload stands in room that was provided: gives it back, and must be called. Nothing may read the payload from then on. */
  readonly release?: () => void;
}

/** Memory for one payload. */
export interface PayloadRoom {
  /** At least as long as the payload, with any content. */
  readonly memory: Buffer;
  /** Nothing reads or writes the memory any more. Once. */
  readonly release: () => void;
}

/** What a header has announced. */
export interface Announced {
  readonly type: number;
  /** Bytes of the payload. */
  readonly length: number;
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

export class FrameDecoder {
  readonly #bounds: FrameBounds;
  readonly #needsRoom: (announced: Announced) => boolean;
  readonly #header: Buffer = Buffer.alloc(frameHeaderBytes);
  #headerFilled = 0;
  #payload: Buffer | undefined;
  #payloadFilled = 0;
  #release: (() => void) | undefined;
  #wanted: Announced | undefined;
  /** Input behind the header whose payload waits for room. */
  #rest: Buffer = Buffer.alloc(0);

  /** @param needsRoom frames whose payload stands in memory that is given to it; others get memory of their own */
  constructor(bounds: FrameBounds, needsRoom: (announced: Announced) => boolean = () => false) {
    this.#bounds = bounds;
    this.#needsRoom = needsRoom;
  }

  /** Bytes of an unfinished frame that are held. */
  get pending(): number {
    return this.#headerFilled + this.#payloadFilled;
  }

  /** A payload for which `provide` has to bring room before anything more is taken. */
  get wanted(): Announced | undefined {
    return this.#wanted;
  }

  /** Takes `input` if all of it belongs to the payload under way and does not complete it. For use between calls of `push`. */
  absorb(input: Buffer): boolean {
    if (this.#payload === undefined || input.length >= this.#payload.length - this.#payloadFilled) return false;
    input.copy(this.#payload, this.#payloadFilled);
    this.#payloadFilled += input.length;
    return true;
  }

  /**
   * Frames completed by `input`, up to a payload that needs room: see `wanted`. Once it has thrown, the stream has no frame
   * boundary any more: the header that was refused stays, and is refused at each further call.
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
      if (this.#payload === undefined) {
        if (this.#needsRoom({ type, length })) {
          this.#wanted = { type, length };
          this.#rest = input.subarray(offset);
          return;
        }
        if (input.length - offset >= length) {
          this.#headerFilled = 0;
          const payload = input.subarray(offset, offset + length);
          offset += length;
          yield { type, payload };
          continue;
        }
        this.#payload = Buffer.allocUnsafeSlow(length);
      }
      offset += this.#fill(this.#payload, input.subarray(offset));
      if (this.#payloadFilled < length) return;
      yield this.#completed(type, this.#payload);
    }
  }

  /** Room for what is wanted. @returns the frames that the input of before completes with it. @throws as `push` */
  *provide({ memory, release }: PayloadRoom): Generator<Frame, void, void> {
    const { type, length } = this.#wanted ?? { type: 0, length: 0 };
    this.#wanted = undefined;
    this.#payload = memory.subarray(0, length);
    this.#release = release;
    const taken = this.#fill(this.#payload, this.#rest);
    const rest = this.#rest.subarray(taken);
    this.#rest = rest.subarray(0, 0);
    if (this.#payloadFilled === length) yield this.#completed(type, this.#payload);
    yield* this.push(rest);
  }

  /** No more input comes: room of an unfinished payload is given back. */
  end(): void {
    this.#release?.();
    this.#release = undefined;
    this.#payload = undefined;
  }

  /** @returns bytes of the input that belong to the payload */
  #fill(payload: Buffer, input: Buffer): number {
    const take = Math.min(payload.length - this.#payloadFilled, input.length);
    input.copy(payload, this.#payloadFilled, 0, take);
    this.#payloadFilled += take;
    return take;
  }

  #completed(type: number, payload: Buffer): Frame {
    const release = this.#release;
    this.#payload = undefined;
    this.#release = undefined;
    this.#payloadFilled = 0;
    this.#headerFilled = 0;
    return release === undefined ? { type, payload } : { type, payload, release };
  }

  #checkedLength(type: number): number {
    const length = this.#header.readUInt32BE(0);
    const bound = this.#bounds.get(type) ?? unknownFrameMaxBytes;
    if (length <= bound) return length;
    throw new PeerdError('frame_too_large', `frame type ${type} announces ${length} bytes, at most ${bound} are allowed`);
  }
}
