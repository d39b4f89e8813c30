import { describe, expect, test } from 'vitest';
import { growthOf } from '../../soak/growth.ts';

const samples = (count: number, value: (index: number) => number): number[] => Array.from({ length: count }, (_, index) => value(index));

describe('growth', () => {
  test('a leak is growth, in memory and in descriptors', () => {
    expect(growthOf('rss (MiB)', samples(60, (index) => 150 + index))).toMatchObject({ grows: true, from: 170, to: 209 });
    expect(growthOf('descriptors', samples(30, (index) => 40 + (index % 3) + index * 0.5)).grows).toBe(true);
  });

  test('noise, a warm-up and what falls are none', () => {
    expect(growthOf('rss (MiB)', samples(60, (index) => 150 + 20 * Math.sin(index))).grows).toBe(false);
    expect(growthOf('rss (MiB)', samples(60, (index) => Math.min(200, 100 + index * 6))).grows).toBe(false);
    expect(growthOf('descriptors', samples(30, (index) => 60 - index)).grows).toBe(false);
    expect(growthOf('rows contacts', samples(3, () => 1)).grows).toBe(false);
  });

  test('little of much, and a few of few, are none', () => {
    expect(growthOf('rss (MiB)', samples(60, (index) => 400 + index * 0.3)).grows).toBe(false);
    expect(growthOf('resources Timeout', samples(60, (index) => index * 0.1)).grows).toBe(false);
  });

  test('too few samples say nothing', () => expect(() => growthOf('rss (MiB)', [1])).toThrow('too few samples'));
});
