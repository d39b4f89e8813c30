import { describe, expect, test } from 'vitest';
import type { Group, Report } from '../report/model.ts';
import { reportLines } from '../report/screen.ts';
import { chartOf } from '../report/svg.ts';
import { atLeast, verdictOf } from '../report/verdicts.ts';

const group: Group = {
  title: 'one file <of 1 GB>', medium: 'disk', scale: 'bytes', bytes: 1e9, files: 1, isDrawn: true,
  rows: [
    { name: 'peerd', samples: [2, 4, 1].map((seconds) => ({ seconds, cpuSeconds: 3, peaks: [{ process: 'peerd (receiver)', bytes: 123e6 }] })) },
    { name: 'tar | nc', samples: [{ seconds: 1, cpuSeconds: undefined, peaks: [] }] },
    { name: 'scp', samples: [], failure: 'broken\npipe' },
  ],
};
const report = (groups: readonly Group[]): Report => ({
  startedAt: '2026-01-01T00:00:00.000Z',
  machine: { cpu: 'a CPU', cores: 2, memoryBytes: 24e9, kernel: '6.1', node: 'v24' },
  options: { runs: 3, quick: false, cases: ['one-file'] },
  missing: [{ tool: 'socat', install: ['apt-get install socat'] }],
  cases: [{ name: 'one-file', groups, verdicts: [verdictOf({ case: 'one-file', medium: 'disk', figure: 'speed, of scp', bound: atLeast(3), value: undefined, why: 'scp failed' })], notes: ['a note'] }],
});

describe('the report', () => {
  test('has medians, spreads, failures, notes, what is missing, and every target', () => {
    const text = reportLines(report([group])).join('\n');
    expect(text).toMatch(/peerd +500 MB\/s +250 MB\/s +1\.00 GB\/s +2\.00 s +3\.00 +3\.00 +peerd \(receiver\) 123 MB/);
    expect(text).toMatch(/scp +–.*failed: broken pipe/);
    expect(text).toContain('· a note');
    expect(text).toMatch(/socat +apt-get install socat/);
    expect(text).toMatch(/one-file +disk +speed, of scp +≥ 3 +– +not measured: scp failed/);
  });

  test('the chart has a bar for whoever was measured, as long as its median', () => {
    const svg = chartOf(report([group])) ?? '';
    const bars = [...svg.matchAll(/<rect class="(\w+)"[^>]* width="([\d.]+)"/g)].map(([, kind, width]) => [kind, Number(width)]);
    expect(bars).toEqual([['ours', 240], ['other', 480]]);
    expect(svg).toContain('one file &lt;of 1 GB&gt;, disk');
    expect(svg).not.toContain('scp');
  });

  test('without anything to draw there is no chart', () => {
    expect(chartOf(report([{ ...group, isDrawn: false }]))).toBeUndefined();
    expect(chartOf(report([{ ...group, rows: group.rows.slice(2) }]))).toBeUndefined();
  });
});
