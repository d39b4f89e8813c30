import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Chunk, dataBounds, decodeChunk, decodePack, encodeChunkHeader, encodePack, type Frame, FrameDecoder } from '../../src/index.ts';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
const content = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes));
const chunk: fc.Arbitrary<Chunk> = fc.record({ index: fc.maxSafeNat(), hash, content });

const only = (bytes: Buffer): Frame => {
  const [frame, ...rest] = new FrameDecoder(dataBounds).push(bytes);
  expect(rest).toEqual([]);
  if (!frame) throw new Error('no frame');
  return frame;
};

describe('bulk frames', () => {
  test('a chunk comes back', () => {
    fc.assert(
      fc.property(chunk, (given) => {
        const frame = only(Buffer.concat([encodeChunkHeader(given.index, given.hash, given.content.length), given.content]));
        expect(decodeChunk(frame.payload)).toEqual(given);
      }),
    );
  });

  test('a pack comes back', () => {
    fc.assert(
      fc.property(fc.array(chunk, { minLength: 1, maxLength: 20 }), (chunks) => {
        expect(decodePack(only(Buffer.concat(encodePack(chunks))).payload)).toEqual(chunks);
      }),
    );
  });

  test('garbage is malformed_frame', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        for (const decode of [decodeChunk, decodePack]) {
          try {
            decode(Buffer.from(bytes));
          } catch (error) {
            expect(error).toMatchObject({ code: 'malformed_frame' });
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('a pack whose lengths do not add up is refused', () => {
    const good = Buffer.concat(encodePack([{ index: 1, hash: Buffer.alloc(32), content: Buffer.from('abc') }])).subarray(5);
    expect(() => decodePack(Buffer.concat([good, Buffer.from('x')]))).toThrow(/after the last/);
    expect(() => decodePack(good.subarray(0, -1))).toThrow(/does not fit/);
    expect(() => decodePack(Buffer.from([0, 0, 0, 0]))).toThrow(/0 files/);
    expect(() => decodePack(Buffer.from([255, 255, 255, 255]))).toThrow(/4294967295 files/);
  });
});
