import { createColors } from 'picocolors';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { progressLine, type ProgressView } from '../../src/ui/progress-line.ts';

const plain = createColors(false);
const half: ProgressView = { kind: 'moving', bytes: 200 * 1024 * 1024, bytesDone: 100 * 1024 * 1024, rate: 10 * 1024 * 1024, remainingMs: 10_000 };

test('a wide screen shows everything', () => {
  expect(progressLine('bob', ['bob', 'carol'], half, 100, plain)).toBe(`bob    ${'█'.repeat(18)}${'░'.repeat(19)}   50%      100 MiB of 200 MiB    10 MiB/s  ETA 10s`);
});

test('a narrow one keeps rate and time to go', () => {
  expect(progressLine('bob', ['bob'], half, 40, plain)).toBe('bob   50%    10 MiB/s  ETA 10s');
  expect(progressLine('bob', ['bob'], half, 24, plain)).toBe('bob   50%  10 MiB/s');
});

test('what waits says on whom and for how long', () => {
  expect(progressLine('bob', ['bob'], { kind: 'waiting', text: 'offered, bob has to accept', ms: 65_000 }, 80, plain)).toBe('bob  offered, bob has to accept (1m 05s)');
});

test.each([20, 40, 80, 200])('on %i columns no line is longer than the screen, whatever the name', (columns) => {
  const labels = ['名前 👩‍👩‍👧 '.repeat(20), 'b'];
  const views: ProgressView[] = [half, { ...half, bytes: 0, bytesDone: 0 }, { ...half, rate: undefined, remainingMs: undefined }, { kind: 'waiting', text: `offered, ${labels[0] ?? ''} has to accept`, ms: 5_000 }];
  for (const view of views) for (const label of labels) expect(stringWidth(progressLine(label, labels, view, columns, plain))).toBeLessThan(columns);
});
