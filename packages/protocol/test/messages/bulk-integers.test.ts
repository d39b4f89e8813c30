import { describe, expect, test } from 'vitest';
import { decodeChunk, decodeHole, decodePack, encodeFrameHeader, encodeHole, FrameDecoder, linkMessages, packMaxFiles, unknownFrameMaxBytes } from '../../src/index.ts';

const u64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
};
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const hash = Buffer.alloc(32);
const largest = BigInt(Number.MAX_SAFE_INTEGER);
const pack = (count: number, length: number, contentBytes: number): Buffer => Buffer.concat([u32(count), ...Array.from({ length: Math.min(count, 2_000) }, () => Buffer.concat([u64(1n), u32(length), hash])), Buffer.alloc(contentBytes)]);

describe('index of a chunk', () => {
  const decoders: readonly [string, (index: bigint) => number | undefined][] = [
    ['chunk', (index) => decodeChunk(Buffer.concat([u64(index), hash, Buffer.of(1)])).index],
    ['pack', (index) => decodePack(Buffer.concat([u32(1), u64(index), u32(1), hash, Buffer.of(1)]))[0]?.index],
    ['hole', (index) => decodeHole(u64(index))],
  ];
  test.each(decoders)('%s: 0, 1, 2^53 − 1, and nothing above', (_name, decode) => {
    for (const index of [0n, 1n, largest]) expect(decode(index)).toBe(Number(index));
    for (const index of [largest + 1n, 2n ** 63n, 2n ** 64n - 1n]) expect(() => decode(index)).toThrow(expect.objectContaining({ code: 'malformed_frame' }));
  });

  test('a hole is not written for what is no index', () => {
    for (const index of [-1, 0.5, Number.NaN, 2 ** 64]) expect(() => encodeHole(index)).toThrow(RangeError);
  });
});

test('files of a pack: 1 to the most, and their lengths add up', () => {
  expect(decodePack(pack(1, 1, 1))).toHaveLength(1);
  expect(decodePack(pack(packMaxFiles, 1, packMaxFiles))).toHaveLength(packMaxFiles);
  const refused = [pack(0, 1, 1), pack(packMaxFiles + 1, 1, packMaxFiles + 1), pack(2 ** 32 - 1, 1, 1), pack(1, 0, 0), pack(1, 2, 1), pack(1, 2 ** 32 - 1, 1), pack(2, 1, 1), pack(1, 1, 2)];
  for (const bytes of refused) expect(() => decodePack(bytes)).toThrow(expect.objectContaining({ code: 'malformed_frame' }));
});

test('length of a frame: up to the bound of its type, known or not', () => {
  const read = (type: number, length: number) => [...new FrameDecoder(linkMessages.bounds).push(encodeFrameHeader(type, length))];
  for (const type of [0x02, 0x4a, 0xee]) {
    const bound = linkMessages.bounds.get(type) ?? unknownFrameMaxBytes;
    for (const length of [1, bound - 1, bound]) expect(read(type, length)).toEqual([]);
    expect(read(type, 0)).toHaveLength(1);
    for (const length of [bound + 1, 2 ** 31, 2 ** 32 - 1]) expect(() => read(type, length)).toThrow(expect.objectContaining({ code: 'frame_too_large' }));
  }
});
