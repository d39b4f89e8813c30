import { readFileSync } from 'node:fs';
import { constants, zstdCompressSync } from 'node:zlib';
import { chunkFrameType, compressedFrameType, dataBounds, encodeCompressedHeader, type Frame, FrameDecoder, holeFrameType, packFrameType } from '@peerd/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StageClock } from '../../src/index.ts';
import { expanded } from '../../src/receiver/expanded.ts';
import { compress } from '../../src/zstd.ts';
import { content } from '../support/content.ts';

const chunkSize = 64 * 1024;
const KiB = 1024;

const framed = (type: number, length: number, zstd: Buffer): Frame => ({ type: compressedFrameType, payload: Buffer.concat([encodeCompressedHeader(type, length, zstd.length).subarray(5), zstd]) });
const open = (frame: Frame): Promise<Frame> => expanded(frame, chunkSize, new StageClock());
const text = (length: number): Buffer => Buffer.from('what is said again '.repeat(Math.ceil(length / 19))).subarray(0, length);

describe('compressed frames at the receiver', () => {
  const vectors = JSON.parse(readFileSync(new URL('../../../../docs/protocol/vectors/compressed.json', import.meta.url), 'utf8')) as { note: string; frame: string; type: number; plain: string }[];
  test.each(vectors)('golden vector: $note', async ({ frame, type, plain }) => {
    const [arrived] = new FrameDecoder(dataBounds).push(Buffer.from(frame, 'hex'));
    const { payload, ...rest } = await open(arrived as Frame);
    expect([rest.type, payload.toString('hex')]).toEqual([type, plain]);
  });

  test('what was compressed comes back, whatever it was and at every level', async () => {
    const bytes = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 3_000 }).map((some) => Buffer.concat([some, some, some])), fc.integer({ min: 100, max: chunkSize }).map(text));
    await fc.assert(
      fc.asyncProperty(bytes, fc.constantFrom(1, 3), async (plain, level) => {
        const made = await compress(plain, level, plain.length - 6);
        if (made === undefined) return;
        expect((await open(framed(packFrameType, plain.length, Buffer.concat(made.parts)))).payload.equals(plain)).toBe(true);
      }),
    );
  });

  test('what does not shrink enough is not compressed', async () => {
    const plain = content(100 * KiB);
    expect(await compress(plain, 1, plain.length - 1)).toBeUndefined();
    expect(await compress(text(100 * KiB), 1, 10)).toBeUndefined();
  });

  const plain = text(50 * KiB);
  const zstd = zstdCompressSync(plain);
  const wide = zstdCompressSync(text(9 * KiB * KiB), { params: { [constants.ZSTD_c_windowLog]: 27 } });
  test.each([
    ['a bomb: 64 MiB behind 64 KiB', framed(chunkFrameType, chunkSize, zstdCompressSync(Buffer.alloc(64 * KiB * KiB))), /more than the 65536 bytes/],
    ['one byte more than was said', framed(chunkFrameType, plain.length - 1, zstd), /more than/],
    ['one byte less', framed(chunkFrameType, plain.length + 1, zstd), /51200 bytes, it stands for 51201/],
    ['cut off', framed(chunkFrameType, plain.length, zstd.subarray(0, -1)), /not one zstd frame/],
    ['bytes behind the frame', framed(chunkFrameType, plain.length, Buffer.concat([zstd, Buffer.from('more')])), /not one zstd frame/],
    ['two frames', framed(chunkFrameType, plain.length, Buffer.concat([zstd, zstd])), /not one zstd frame|more than/],
    ['nothing of zstd', framed(chunkFrameType, plain.length, Buffer.from('hello')), /not one zstd frame/],
    ['a skippable frame', framed(chunkFrameType, plain.length, Buffer.from('502a4d180400000001020304', 'hex')), /0 bytes, it stands for/],
    ['a window that needs too much memory', framed(packFrameType, 1_000_000, wide), /not one zstd frame/],
    ['more than a chunk of this transfer', framed(chunkFrameType, 41 + chunkSize, zstd), /a chunk of this transfer has 65576 at most/],
    ['a hole', framed(holeFrameType, 8, zstd.subarray(0, 1)), /not compressed/],
  ])('malformed_frame: %s', async (_what, frame, message) => {
    await expect(open(frame)).rejects.toMatchObject({ code: 'malformed_frame', message: expect.stringMatching(message) as unknown });
  });

  test('any damage is malformed_frame, or as many bytes as were announced', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(zstd.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(3), async (at, flip, cut) => {
        const damaged = Buffer.from(zstd.subarray(0, zstd.length - cut));
        if (at < damaged.length) damaged[at] = (damaged[at] ?? 0) ^ flip;
        const outcome = await open(framed(packFrameType, plain.length, damaged)).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'malformed_frame' });
        else expect((outcome as Frame).payload.length).toBe(plain.length);
      }),
      { numRuns: 300 },
    );
  });

  test('what came and what it became are given back together', async () => {
    let released = 0;
    const frame = await open({ ...framed(chunkFrameType, plain.length, zstd), release: () => (released += 1) });
    expect([released, frame.payload.equals(plain)]).toEqual([0, true]);
    frame.release?.();
    expect([released, frame.payload.buffer.byteLength]).toEqual([1, 0]);
  });
});
