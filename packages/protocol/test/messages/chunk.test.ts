import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Chunk, dataBounds, decodeChunk, decodeHole, decodePack, encodeChunkHeader, encodeHole, encodePack, type Frame, FrameDecoder } from '../../src/index.ts';

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

  test('contents that stand one behind the other leave as one buffer', () => {
    const memory = Buffer.from('aabbbcddd');
    const slice = (start: number, end: number): Chunk => ({ index: start, hash: Buffer.alloc(32, start), content: memory.subarray(start, end) });
    const given = [slice(0, 2), slice(2, 5), slice(6, 9)];
    expect(encodePack(given).slice(2).map(String)).toEqual(['aabbb', 'ddd']);
    expect(decodePack(only(Buffer.concat(encodePack(given))).payload)).toEqual(given);
  });

  test('a hole comes back, and looks as the protocol says', () => {
    expect(encodeHole(5).toString('hex')).toBe('00000008620000000000000005');
    fc.assert(fc.property(fc.maxSafeNat(), (index) => decodeHole(only(encodeHole(index)).payload) === index));
    expect(() => decodeHole(Buffer.alloc(7))).toThrow(/7 bytes/);
    expect(() => decodeHole(Buffer.alloc(8, 0xff))).toThrow(/too large/);
    expect(() => [...new FrameDecoder(dataBounds).push(Buffer.from('0000000962', 'hex'))]).toThrow(/at most 8/);
  });

  test('garbage is malformed_frame', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        for (const decode of [decodeChunk, decodePack, decodeHole]) {
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
    expect(() => decodePack(good.subarray(0, 10))).toThrow(/table is cut off/);
    expect(() => decodePack(Buffer.from([0, 0, 0, 0]))).toThrow(/0 files/);
    expect(() => decodePack(Buffer.from([255, 255, 255, 255]))).toThrow(/4294967295 files/);
  });
});
