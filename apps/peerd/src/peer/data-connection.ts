import { chunkFrameType, close as closeMessage, compressedFrameType, dataBounds, type Frame, type FrameBounds, holeFrameType, KiB, packFrameMaxBytes, packFrameType, PeerdError } from '@peerd/protocol';
import { type Channel, closeReason, type Greeted } from '@peerd/service';
import type { PeerMemory } from './content-memory.ts';
import type { DataConnection } from './ports.ts';

const contentTypes: ReadonlySet<number> = new Set([chunkFrameType, packFrameType, holeFrameType, compressedFrameType]);

/** The receiving side of a data connection says why it ends it, and nothing else. */
const senderBounds: FrameBounds = new Map([[closeMessage.type, closeMessage.maxBytes]]);

/** Of smaller ones a connection has one at a time, and it is no matter. */
const roomFromBytes: number = 64 * KiB;
/** A chunk frame beside its content, rounded up. */
const chunkAroundBytes: number = 64 * KiB;

/** Where the content that arrives stands, and how long it may stand still. */
export interface ContentIntake {
  readonly memory: PeerMemory;
  readonly stallMs: number;
}

/** A data connection on one channel, after `hello`. The side that asked for it sends. */
export class ChannelData implements DataConnection {
  readonly signal: AbortSignal;
  readonly #channel: Channel;
  readonly #frames: Greeted['frames'];
  readonly #intake: ContentIntake | undefined;

  /** @param intake of the side that receives */
  constructor(channel: Channel, frames: Greeted['frames'], intake?: ContentIntake) {
    this.#channel = channel;
    this.#frames = frames;
    this.#intake = intake;
    this.signal = channel.signal;
    channel.expect(intake ? dataBounds : senderBounds);
    // A sender has to read too, or it would never learn that the other side closed.
    if (!intake) void this.#watch();
  }

  write(buffers: readonly Uint8Array[], release?: () => void): Promise<void> {
    return this.#channel.put(buffers, release);
  }

  async *frames(chunkSize: number): AsyncGenerator<Frame, void, void> {
    if (this.#intake) {
      const { memory, stallMs } = this.#intake;
      // What a compressed frame stands for.
      const expandedBytes = Math.max(chunkSize + chunkAroundBytes, packFrameMaxBytes);
      this.#channel.expect(dataBounds, {
        needsRoom: ({ type, length }) => type === compressedFrameType || (contentTypes.has(type) && length >= roomFromBytes),
        room: ({ type, length }, signal) => memory.room(length, type === compressedFrameType ? expandedBytes : 0, signal),
        stallMs,
      });
    }
    yield* this.#content();
  }

  async *#content(): AsyncGenerator<Frame, void, void> {
    try {
      for await (const frame of this.#frames) {
        if (frame.type === closeMessage.type) throw closeReason(frame.payload);
        if (contentTypes.has(frame.type)) yield frame;
      }
    } catch (error) {
      const reason = error instanceof PeerdError ? error : new PeerdError('internal', 'a data connection failed', { cause: error });
      this.destroy(reason);
      throw reason;
    }
  }

  async end(): Promise<void> {
    this.#channel.end();
    if (this.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
  }

  destroy(reason: PeerdError): void {
    this.#channel.destroy(reason);
  }

  async #watch(): Promise<void> {
    try {
      for await (const _ of this.#content()) throw new PeerdError('unexpected_message', 'the receiving side of a data connection sent content');
    } catch (error) {
      this.destroy(error as PeerdError);
    }
  }
}
