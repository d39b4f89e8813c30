import { chunkFrameType, close as closeMessage, compressedFrameType, dataBounds, type Frame, holeFrameType, packFrameType, PeerdError } from '@peerd/protocol';
import { type Channel, closeReason, type Greeted } from '@peerd/service';
import type { DataConnection } from './ports.ts';

const contentTypes: ReadonlySet<number> = new Set([chunkFrameType, packFrameType, holeFrameType, compressedFrameType]);

/** A data connection on one channel, after `hello`. The side that asked for it sends. */
export class ChannelData implements DataConnection {
  readonly signal: AbortSignal;
  readonly #channel: Channel;
  readonly #frames: Greeted['frames'];

  constructor(channel: Channel, frames: Greeted['frames'], direction: 'send' | 'receive') {
    this.#channel = channel;
    this.#frames = frames;
    this.signal = channel.signal;
    channel.expect(dataBounds);
    // A sender has to read too, or it would never learn that the other side closed.
    if (direction === 'send') void this.#watch();
  }

  write(buffers: readonly Uint8Array[], release?: () => void): Promise<void> {
    return this.#channel.put(buffers, release);
  }

  async *frames(): AsyncGenerator<Frame, void, void> {
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
      for await (const _ of this.frames()) throw new PeerdError('unexpected_message', 'the receiving side of a data connection sent content');
    } catch (error) {
      this.destroy(error as PeerdError);
    }
  }
}
