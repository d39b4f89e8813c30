import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { groupedId, uniquePrefixes } from '../../src/ui/ids.ts';
import { count, formatBytes, formatRate, percent } from '../../src/ui/sizes.ts';
import { formatAgo, formatDuration } from '../../src/ui/times.ts';

describe('sizes', () => {
  test.each([
    [0, '0 B'], [1, '1 B'], [1023, '1023 B'], [1024, '1.0 KiB'], [1536, '1.5 KiB'], [10_240, '10 KiB'], [1_048_064, '1.0 MiB'], [1_048_576, '1.0 MiB'],
    [268_435_456, '256 MiB'], [1_073_741_824, '1.0 GiB'], [Number.MAX_SAFE_INTEGER, '8.0 PiB'],
  ])('%i bytes: %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test('never more than four digits', () => {
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (bytes) => {
        expect(formatBytes(bytes)).toMatch(/^(\d{1,4}|\d\.\d) [KMGTPE]?i?B$/);
      }),
    );
  });

  test('rates and counts', () => {
    expect(formatRate(3_500_000.7)).toBe('3.3 MiB/s');
    expect(count(1, 'entry', 'entries')).toBe('1 entry');
    expect(count(0, 'offer')).toBe('0 offers');
  });

  test('100 % only when everything is there', () => {
    expect(percent(999_999, 1_000_000)).toBe(99);
    expect(percent(5, 5)).toBe(100);
    expect(percent(0, 0)).toBe(100);
  });
});

describe('times', () => {
  test.each([
    [999, '<1s'], [1_000, '1s'], [59_999, '59s'], [60_000, '1m 00s'], [187_000, '3m 07s'], [7_500_000, '2h 05m'], [356_400_000, '4d 3h'],
  ])('%i ms: %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test.each([
    [0, 'just now'], [30_000, '30s ago'], [300_000, '5m ago'], [7_200_000, '2h ago'], [172_800_000, '2d ago'], [-30_000, 'just now'],
  ])('%i ms ago: %s', (age, text) => {
    expect(formatAgo(1_763_800_000_000 - age, 1_763_800_000_000)).toBe(text);
  });

  test('long ago, and a clock that is far ahead: the date', () => {
    expect(formatAgo(0, 1_763_800_000_000)).toMatch(/^(1970-01-01|1969-12-31) \d\d:\d\d$/);
    expect(formatAgo(1_763_900_000_000, 1_763_800_000_000)).toMatch(/^2025-11-\d\d/);
    expect(formatAgo(9e15, 0)).toBe('unknown');
  });
});

describe('ids', () => {
  test('in groups of four', () => {
    expect(groupedId('abcdefghij')).toBe('abcd-efgh-ij');
  });

  test('a prefix names one transfer and has at least twelve characters', () => {
    const id = fc.stringMatching(/^01kagtm5[0-9a-c]{18}$/);
    fc.assert(
      fc.property(fc.uniqueArray(id, { maxLength: 20 }), (ids) => {
        const prefixes = uniquePrefixes(ids);
        for (const one of ids) {
          const prefix = prefixes.get(one) ?? '';
          expect(prefix.length).toBeGreaterThanOrEqual(12);
          expect(ids.filter((other) => other.startsWith(prefix))).toEqual([one]);
        }
      }),
    );
  });

  test('is no longer than it must be', () => {
    const [first, second] = [`01kagtm5zz${'0'.repeat(15)}1`, `01kagtm5zz${'0'.repeat(15)}2`];
    expect(uniquePrefixes([first]).get(first)).toBe('01kagtm5zz00');
    expect(uniquePrefixes([first, second]).get(first)).toBe(first);
  });
});
