import { describe, expect, test } from 'vitest';
import { byteCount, timeToCome } from '../../src/commands/amounts.ts';

describe('sizes', () => {
  test.each([['1', 1], ['500M', 524_288_000], ['10G', 10_737_418_240], ['1.5GiB', 1_610_612_736], ['2GB', 2_000_000_000], ['1 kib', 1_024], ['0.5k', 512]])('%s', (text, bytes) => {
    expect(byteCount(text)).toBe(bytes);
  });
  test.each(['', '0', '-1', '10 apples', '1e9', '0.1', '9999999T', 'G', '1..5G', 'Infinity'])('not %j', (text) => {
    expect(() => byteCount(text)).toThrow('500M');
  });
});

describe('times', () => {
  const now = Date.UTC(2026, 0, 1);
  const read = timeToCome(() => now);
  test.each([['30s', 30_000], ['90m', 5_400_000], ['2h', 7_200_000], ['7d', 604_800_000], ['2w', 1_209_600_000]])('%s from now', (text, ms) => {
    expect(read(text)).toBe(now + ms);
  });
  test('ISO 8601: local unless it says otherwise, a day begins at its midnight', () => {
    expect(read('2026-12-31T18:00Z')).toBe(Date.UTC(2026, 11, 31, 18));
    expect(read('2026-12-31T18:00+02:00')).toBe(Date.UTC(2026, 11, 31, 16));
    expect(read('2026-12-31T18:00')).toBe(new Date(2026, 11, 31, 18).getTime());
    expect(read('2026-12-31')).toBe(new Date(2026, 11, 31).getTime());
  });
  test.each([['2025-12-31', 'over'], ['0s', 'over'], ['7', '7d'], ['tomorrow', '7d'], ['2026-13-01', '7d'], ['12/31/2026', '7d'], ['', '7d'], ['9999999d', '7d']])('not %j', (text, hint) => {
    expect(() => read(text)).toThrow(hint);
  });
});
