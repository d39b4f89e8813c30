import { describe, expect, test } from 'vitest';
import type { Measured } from '../measure/rounds.ts';
import { atLeast, atMost, peakOf, ratioVerdict, verdictOf } from '../report/verdicts.ts';

const measured = (name: string, ...seconds: number[]): Measured => ({ name, samples: seconds.map((one) => ({ seconds: one, cpuSeconds: 1, peaks: [{ process: `${name} (receiver)`, bytes: one * 1e6 }] })) });
const rows = [measured('peerd', 1, 2, 9), measured('nc', 3), { name: 'scp', samples: [], failure: 'no route' }];
const shared = { case: 'one-file', medium: 'disk', figure: 'speed', rows, ours: 'peerd' } as const;

describe('verdicts', () => {
  test('a ratio of medians, either way round', () => {
    expect(ratioVerdict({ ...shared, other: 'nc', of: 'speed', bound: atLeast(1.5) })).toMatchObject({ value: 1.5, met: true, target: '≥ 1.5' });
    expect(ratioVerdict({ ...shared, other: 'nc', of: 'speed', bound: atLeast(1.6) }).met).toBe(false);
    expect(ratioVerdict({ ...shared, other: 'nc', of: 'time', bound: atMost(0.5) })).toMatchObject({ value: 2 / 3, met: false, target: '≤ 0.5' });
  });

  test('who was not measured decides nothing, and the row says why', () => {
    expect(ratioVerdict({ ...shared, other: 'scp', of: 'speed', bound: atLeast(3) })).toMatchObject({ value: undefined, met: undefined, why: 'scp failed: no route' });
    expect(ratioVerdict({ ...shared, other: 'socat', of: 'speed', bound: atLeast(3) }).why).toBe('socat was not measured');
    expect(ratioVerdict({ ...shared, other: 'nc', of: 'speed', bound: atLeast(1), why: 'the file is smaller' })).toMatchObject({ met: true, why: 'the file is smaller' });
  });

  test('a figure of other work meets no target', () => {
    const input = { case: 'sparse', medium: 'disk', figure: 'peak', bound: atMost(250), unit: 'MB', value: 100 };
    expect(verdictOf(input)).toMatchObject({ met: true, target: '≤ 250 MB' });
    expect(verdictOf({ ...input, otherWork: true, why: 'smaller' })).toMatchObject({ met: false, why: 'smaller' });
  });

  test('the peak of a process is its highest', () => {
    expect(peakOf(rows[0], 'peerd (')).toBe(9e6);
    expect(peakOf(rows[0], 'somebody')).toBeUndefined();
  });
});
