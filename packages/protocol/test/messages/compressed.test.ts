import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chunkFrameMaxBytes, chunkFrameType, dataBounds, decodeCompressed, encodeCompressedHeader, type Frame, FrameDecoder, holeFrameType, packFrameMaxBytes, packFrameType } from '../../src/index.ts';

const only = (bytes: Buffer): Frame => {
  const [frame, ...rest] = new FrameDecoder(dataBounds).push(bytes);
  expect(rest).toEqual([]);
  if (!frame) throw new Error('no frame');
  return frame;
};
const frameOf = (type: number, length: number, content: Buffer): Buffer => Buffer.concat([encodeCompressedHeader(type, length, content.length), content]);

describe('compressed frames', () => {
  test('what it says of itself comes back', () => {
    fc.assert(
      fc.property(fc.constantFrom(chunkFrameType, packFrameType), fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.integer({ min: 206, max: packFrameMaxBytes }), (type, bytes, length) => {
        const content = Buffer.from(bytes);
        expect(decodeCompressed(only(frameOf(type, length, content)).payload)).toEqual({ type, length, content });
      }),
    );
  });

  test.each([
    ['no content', Buffer.from('6000000100', 'hex'), /no content/],
    ['a frame that is not compressed', frameOf(holeFrameType, 100, Buffer.from('x')).subarray(5), /type 98/],
    ['itself', frameOf(0x63, 100, Buffer.from('x')).subarray(5), /type 99/],
    ['a chunk that is too long', frameOf(chunkFrameType, chunkFrameMaxBytes + 1, Buffer.from('x')).subarray(5), /at most/],
    ['a pack that is too long', frameOf(packFrameType, packFrameMaxBytes + 1, Buffer.from('x')).subarray(5), /at most/],
    ['more than it stands for', frameOf(chunkFrameType, 6, Buffer.from('x')).subarray(5), /6 bytes stand for 6/],
  ])('refused: %s', (_what, payload, message) => {
    expect(() => decodeCompressed(payload)).toThrow(message);
    expect(() => decodeCompressed(payload)).toThrow(expect.objectContaining({ code: 'malformed_frame' }));
  });

  test('it is no longer than the longest that it may stand for', () => {
    const header = encodeCompressedHeader(chunkFrameType, 1, chunkFrameMaxBytes);
    expect(() => [...new FrameDecoder(dataBounds).push(header)]).toThrow(/at most/);
  });

  test('garbage is malformed_frame', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        try {
          decodeCompressed(Buffer.from(bytes));
        } catch (error) {
          expect(error).toMatchObject({ code: 'malformed_frame' });
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
