/** The policy against lines and contents that are simulated: no clock, no bytes. */
import { MiB } from '@peerd/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { afterPiece, type CompressionState, fastLevel, levelOf, thoroughLevel, unknownLine } from '../../src/sender/compression-policy.ts';

interface World {
  /** Bytes per millisecond: of the line, of compressing, and of whatever takes content in at the other end. */
  readonly line: number;
  readonly compress: number;
  readonly sink?: number;
  /** What a piece shrinks to; 1: not at all. */
  readonly ratio: number;
}

const perMs = (mibPerSecond: number): number => (mibPerSecond * MiB) / 1_000;

/** Pieces of one MiB. */
const run = (pieces: number, worldOf: (piece: number) => World, start: CompressionState = unknownLine) => {
  let state = start;
  let ms = 0;
  const tried: number[] = [];
  const levels = new Set<number>();
  for (let piece = 0; piece < pieces; piece += 1) {
    const { line, compress, ratio, sink = Number.POSITIVE_INFINITY } = worldOf(piece);
    const level = levelOf(state);
    const shrank = level !== undefined && ratio < 0.92;
    const compressMs = level === undefined ? 0 : MiB / compress;
    const pieceMs = compressMs + Math.max((MiB * (shrank ? ratio : 1)) / line, MiB / sink);
    ms += pieceMs;
    if (level !== undefined) {
      tried.push(piece);
      levels.add(level);
    }
    state = afterPiece(state, { bytes: MiB, ms: pieceMs, ...(level === undefined ? {} : { tried: { level, ms: compressMs, shrank } }) });
  }
  return { state, ms, tried, levels };
};
const steady = (world: World) => (): World => world;

describe('the compression policy', () => {
  test('over a slow line nearly everything is compressed, and thoroughly', () => {
    const { tried, levels, ms } = run(100, steady({ line: perMs(10), compress: perMs(400), ratio: 0.25 }));
    expect(tried.length).toBeGreaterThanOrEqual(97);
    expect(levels).toEqual(new Set([fastLevel, thoroughLevel]));
    expect(ms).toBeLessThan(100 * 100 * 0.4);
  });

  test('where compressing is hardly faster than the line it only looks, now and then', () => {
    const { tried, levels } = run(2_048, steady({ line: perMs(1_000), compress: perMs(500), ratio: 0.2 }));
    expect(tried.length).toBeLessThanOrEqual(20);
    expect(levels).toEqual(new Set([fastLevel]));
  });

  test('what does not shrink is tried a few times, with ever longer rests', () => {
    const { tried } = run(1_024, steady({ line: perMs(10), compress: perMs(400), ratio: 1 }));
    expect(tried.slice(0, 6)).toEqual([0, 2, 4, 6, 9, 14]);
    expect(tried.length).toBeLessThanOrEqual(13);
  });

  test('where the other end is what takes the time, it stops', () => {
    const { tried } = run(1_024, steady({ line: perMs(1_000), sink: perMs(50), compress: perMs(400), ratio: 0.2 }));
    expect(tried.length).toBeLessThanOrEqual(80);
  });

  test('content that begins to shrink is found, and left when it ends', () => {
    const text = { line: perMs(10), compress: perMs(400), ratio: 0.2 };
    const { tried } = run(300, (piece) => (piece >= 50 && piece < 150 ? text : { ...text, ratio: 1 }));
    const inText = tried.filter((piece) => piece >= 50 && piece < 150).length;
    expect(inText).toBeGreaterThan(70);
    expect(tried.length - inText).toBeLessThan(25);
  });

  test('a line that becomes faster than compressing is noticed', () => {
    const { tried } = run(2_000, (piece) => ({ line: perMs(piece < 20 ? 20 : 2_000), compress: perMs(400), ratio: 0.2 }));
    expect(tried.at(-1)).toBeLessThan(2_000);
    expect(tried.filter((piece) => piece >= 1_000).length).toBeLessThan(20);
  });

  test('it is never much slower than leaving it, whatever the line and the content', () => {
    const rate = fc.integer({ min: 1, max: 4_000 }).map(perMs);
    fc.assert(
      fc.property(fc.record({ line: rate, compress: fc.integer({ min: 20, max: 1_000 }).map(perMs), sink: rate, ratio: fc.double({ min: 0.01, max: 1, noNaN: true }) }), (world) => {
        const { ms } = run(512, steady(world));
        const plainly = 512 * Math.max(MiB / world.line, MiB / world.sink);
        // A try costs what compressing a piece costs, and there are few.
        expect(ms).toBeLessThanOrEqual(plainly * 1.05 + 16 * (MiB / world.compress));
      }),
      { numRuns: 1_000 },
    );
  });
});
