import assert from 'node:assert/strict';
import { dataBounds, encodeFrame, encodeHole, type Frame, FrameDecoder, frameHeaderBytes, handshakeMessages, linkMessages, type PayloadRoom, unknownFrameMaxBytes } from '@peerd/protocol';
import type { FuzzTarget } from '../engine/target.ts';
import { Choices, unlessRefused } from './support.ts';
import { vectorFrames } from './vectors.ts';

const largest = 8 * 1_024 * 1_024;

interface Heard {
  readonly frames: { readonly type: number; readonly payload: string }[];
  readonly isRefused: boolean;
}

/** Rooms for payloads, each of which has to come back once. */
class Rooms {
  #open = 0;

  make(length: number): PayloadRoom {
    this.#open += 1;
    let isReleased = false;
    return {
      memory: Buffer.alloc(length + 7, 0xee),
      release: () => {
        assert(!isReleased, 'a room comes back twice');
        isReleased = true;
        this.#open -= 1;
      },
    };
  }

  assertBack(): void {
    assert.equal(this.#open, 0, 'a room does not come back');
  }
}

/** All frames up to a refusal. @param roomFrom payloads of so many bytes stand in rooms that are provided */
const hear = (pieces: readonly Buffer[], bounds: typeof dataBounds, roomFrom: number): Heard => {
  const decoder = new FrameDecoder(bounds, ({ length }) => length >= roomFrom);
  const rooms = new Rooms();
  const frames: Heard['frames'] = [];
  const take = (frame: Frame): void => {
    frames.push({ type: frame.type, payload: frame.payload.toString('hex') });
    assert(frame.payload.length <= (bounds.get(frame.type) ?? unknownFrameMaxBytes), 'a frame is larger than its bound');
    frame.release?.();
  };
  let isRefused = false;
  for (const piece of pieces) {
    if (decoder.absorb(piece)) continue;
    const done = unlessRefused(() => {
      for (const frame of decoder.push(piece)) take(frame);
      for (let { wanted } = decoder; wanted; { wanted } = decoder) for (const frame of decoder.provide(rooms.make(wanted.length))) take(frame);
      return true;
    }, 'frame_too_large');
    assert(decoder.pending <= frameHeaderBytes + largest, 'more is held than any frame may have');
    isRefused = done === undefined;
    if (isRefused) break;
  }
  decoder.end();
  rooms.assertBack();
  return { frames, isRefused };
};

/** First byte: which bounds, and how the rest is split. The frames are the same however the bytes arrive, and wherever they stand. */
export const frameCodec: FuzzTarget = {
  name: 'frame-codec',
  seeds: [
    Buffer.concat([Buffer.of(0), ...vectorFrames.slice(0, 8)]),
    Buffer.concat([Buffer.of(1), encodeHole(5), encodeFrame(0x60, Buffer.alloc(70_000, 1)), encodeFrame(0x60, Buffer.alloc(66_000, 2)), encodeFrame(0x04, Buffer.of(0xa0))]),
  ],
  maxBytes: 150_000,
  shortRuns: 500,
  run: (input) => {
    const bounds = [linkMessages.bounds, dataBounds, handshakeMessages.bounds][(input[0] ?? 0) % 3] ?? dataBounds;
    const bytes = input.subarray(1);
    const whole = hear([bytes], bounds, Infinity);
    const choices = new Choices(Buffer.from(input.toReversed()));
    const pieces: Buffer[] = [];
    for (let at = 0, length = 0; at < bytes.length; at += length) {
      length = 1 + choices.below(bytes.length > 4_096 ? 255 : 16) * (bytes.length > 4_096 ? 64 : 1);
      pieces.push(bytes.subarray(at, at + length));
    }
    assert.deepEqual(hear(pieces, bounds, choices.below(256) * 16), whole);
    // What was understood encodes to the bytes that came.
    const again = Buffer.concat(whole.frames.map(({ type, payload }) => encodeFrame(type, Buffer.from(payload, 'hex'))));
    assert(bytes.subarray(0, again.length).equals(again), 'a frame is not what came');
  },
};
