import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFrame, encodeFrameHeader, type Frame, FrameDecoder } from '../../src/frame/codec.ts';
import { unknownFrameMaxBytes } from '../../src/limits.ts';

const bounds = new Map([
  [1, 10],
  [2, 5_000],
]);

/** Feeds `bytes` in pieces that end at `cuts` and copies what comes out. */
const decodeInPieces = (bytes: Buffer, cuts: readonly number[]): Frame[] => {
  const decoder = new FrameDecoder(bounds);
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const frames: Frame[] = [];
  let start = 0;
  for (const end of [...ends, bytes.length]) {
    for (const frame of decoder.push(bytes.subarray(start, end))) frames.push({ type: frame.type, payload: Buffer.from(frame.payload) });
    start = end;
  }
  expect(decoder.pending).toBe(0);
  return frames;
};

const frameArbitrary = fc.oneof(
  fc.record({ type: fc.constant(1), payload: fc.uint8Array({ maxLength: 10 }) }),
  fc.record({ type: fc.constant(2), payload: fc.uint8Array({ maxLength: 5_000 }) }),
  fc.record({ type: fc.constant(77), payload: fc.uint8Array({ maxLength: 300 }) }),
);

describe('FrameDecoder', () => {
  test('gives back the frames at any split of the input', () => {
    fc.assert(
      fc.property(fc.array(frameArbitrary, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 20 }), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map((frame) => encodeFrame(frame.type, frame.payload)));
        expect(decodeInPieces(bytes, cuts)).toEqual(frames.map((frame) => ({ type: frame.type, payload: Buffer.from(frame.payload) })));
      }),
    );
  });

  test('one byte at a time', () => {
    const bytes = Buffer.concat([encodeFrame(1, Buffer.from('abc')), encodeFrame(1, Buffer.alloc(0)), encodeFrame(2, Buffer.alloc(4_000, 7))]);
    const frames = decodeInPieces(bytes, Array.from(bytes.keys()));
    expect(frames.map((frame) => [frame.type, frame.payload.length])).toEqual([[1, 3], [1, 0], [2, 4_000]]);
  });

  test('pieces within a payload can be taken without a call of push, at any split', () => {
    fc.assert(
      fc.property(fc.array(frameArbitrary, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 }), (frames, sizes) => {
        const bytes = Buffer.concat(frames.map((frame) => encodeFrame(frame.type, frame.payload)));
        const decoder = new FrameDecoder(bounds);
        const decoded: Frame[] = [];
        for (let at = 0, piece = 0; at < bytes.length; piece += 1) {
          const input = bytes.subarray(at, at + (sizes[piece % sizes.length] ?? 1));
          at += input.length;
          if (!decoder.absorb(input)) for (const frame of decoder.push(input)) decoded.push({ type: frame.type, payload: Buffer.from(frame.payload) });
        }
        expect(decoded).toEqual(frames.map((frame) => ({ type: frame.type, payload: Buffer.from(frame.payload) })));
      }),
    );
  });

  test('a payload that needs room waits for it, at any split, and what follows waits behind it', () => {
    fc.assert(
      fc.property(fc.array(frameArbitrary, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 }), (frames, sizes) => {
        const bytes = Buffer.concat(frames.map((frame) => encodeFrame(frame.type, frame.payload)));
        const decoder = new FrameDecoder(bounds, ({ type }) => type !== 1);
        const decoded: Frame[] = [];
        let rooms = 0;
        const take = (some: Iterable<Frame>): void => {
          for (const frame of some) {
            decoded.push({ type: frame.type, payload: Buffer.from(frame.payload) });
            expect(frame.release === undefined).toBe(frame.type === 1);
            frame.release?.();
          }
        };
        for (let at = 0, piece = 0; at < bytes.length; piece += 1) {
          const input = bytes.subarray(at, at + (sizes[piece % sizes.length] ?? 1));
          at += input.length;
          if (decoder.absorb(input)) continue;
          take(decoder.push(input));
          for (let wanted = decoder.wanted; wanted; wanted = decoder.wanted) {
            rooms += 1;
            // Longer than it has to be.
            take(decoder.provide({ memory: Buffer.alloc(wanted.length + 3), release: () => (rooms -= 1) }));
          }
        }
        expect(decoded).toEqual(frames.map((frame) => ({ type: frame.type, payload: Buffer.from(frame.payload) })));
        expect([rooms, decoder.pending, decoder.wanted]).toEqual([0, 0, undefined]);
      }),
    );
  });

  test('room is asked for before anything of the payload is taken, and given back when the rest never comes', () => {
    const decoder = new FrameDecoder(bounds, () => true);
    expect([...decoder.push(encodeFrame(2, Buffer.alloc(4_000, 7)).subarray(0, 105))]).toEqual([]);
    expect([decoder.wanted, decoder.pending]).toEqual([{ type: 2, length: 4_000 }, 5]);
    let released = 0;
    expect([...decoder.provide({ memory: Buffer.alloc(4_000), release: () => (released += 1) })]).toEqual([]);
    expect([decoder.wanted, decoder.pending, released]).toEqual([undefined, 105, 0]);
    decoder.end();
    decoder.end();
    expect(released).toBe(1);
  });

  test('a stream that was refused stays refused', () => {
    const decoder = new FrameDecoder(new Map());
    for (const input of [encodeFrameHeader(1, unknownFrameMaxBytes + 1), Buffer.from([0]), encodeFrame(1, Buffer.alloc(1))]) {
      expect(() => [...decoder.push(input)]).toThrow(expect.objectContaining({ code: 'frame_too_large' }));
    }
  });

  test('garbage ends in frames or an error, and holds no more than the largest bound', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), (pieces) => {
        const decoder = new FrameDecoder(bounds);
        try {
          for (const piece of pieces) {
            for (const frame of decoder.push(Buffer.from(piece))) expect(frame.payload.length).toBeLessThanOrEqual(65_536);
            expect(decoder.pending).toBeLessThanOrEqual(65_536 + 5);
          }
        } catch (error) {
          expect(error).toMatchObject({ code: 'frame_too_large' });
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a length above the bound is refused before its payload arrives, and for good', () => {
    const decoder = new FrameDecoder(bounds);
    const header = Buffer.from([0, 0, 0, 11, 1]);
    expect(() => [...decoder.push(header)]).toThrow(/announces 11 bytes, at most 10/);
    expect(() => [...decoder.push(encodeFrame(1, Buffer.alloc(1)))]).toThrow(/announces 11 bytes/);
  });

  test('the bound of each type is allowed, one byte more is not', () => {
    for (const [type, bound] of bounds) {
      expect([...new FrameDecoder(bounds).push(encodeFrame(type, Buffer.alloc(bound)))]).toHaveLength(1);
      expect(() => [...new FrameDecoder(bounds).push(encodeFrame(type, Buffer.alloc(bound + 1)))]).toThrow();
    }
  });
});
