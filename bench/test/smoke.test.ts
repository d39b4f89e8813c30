/** The bench as a person starts it. That it works, never how fast anything is. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cases } from '../cases/index.ts';
import { descendantsOf } from '../measure/proc.ts';
import type { Report } from '../report/model.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

describe('pnpm bench', () => {
  let directory: string;
  let disk: string;
  let child: ChildProcess | undefined;
  let output = '';

  /** Of programs in the home directory nobody knows. */
  const start = (...args: readonly string[]): ChildProcess => {
    output = '';
    child = spawn(process.execPath, ['--conditions=@peerd/source', main, '--quick', '--tmpfs', 'none', '--disk', disk, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, HOME: directory, NODE_OPTIONS: '' },
    });
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
    return child;
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pb-'));
    disk = join(directory, 'disk');
    await mkdir(disk);
  });
  afterEach(async () => {
    if (child && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    }
    await rm(directory, { recursive: true, force: true });
  });

  test('--quick runs every case, ours never fails, and nothing is left', async () => {
    const [json, svg] = [join(directory, 'report.json'), join(directory, 'chart.svg')];
    const [code] = (await once(start('--json', json, '--svg', svg), 'close')) as [number | null];
    expect([code, code === 0 ? '' : output]).toEqual([0, '']);
    const report = JSON.parse(await readFile(json, 'utf8')) as Report;
    expect(report.cases.map(({ name }) => name)).toEqual(cases.map(({ name }) => name));
    for (const { name, groups, verdicts } of report.cases) {
      expect([name, groups.length > 0, verdicts.length > 0]).toEqual([name, true, true]);
      const ours = groups.flatMap(({ rows }) => rows).filter((row) => row.name.startsWith('peerd'));
      for (const row of ours) {
        expect(row.samples.length).toBeGreaterThan(0);
        expect(row).not.toHaveProperty('failure');
      }
      for (const { figure } of verdicts) expect(output).toContain(figure);
    }
    expect(await readFile(svg, 'utf8')).toContain('</svg>');
    expect(await readdir(disk)).toEqual([]);
  });

  test('SIGINT ends it with 130, and nothing is left', async () => {
    const bench = start('--only', 'one-file');
    while (!output.includes('1 round of')) await once(bench.stdout ?? bench, 'data');
    const below = descendantsOf(bench.pid ?? 0);
    expect(below.length).toBeGreaterThan(4);
    const closed = once(bench, 'close');
    bench.kill('SIGINT');
    expect((await closed)[0]).toBe(130);
    expect(await readdir(disk)).toEqual([]);
    expect(below.filter((pid) => descendantsOf(1).includes(pid))).toEqual([]);
  });

  test('what cannot be understood exits 2 and says what to do', async () => {
    const [code] = (await once(start('--only', 'huge'), 'close')) as [number | null];
    expect([code, output]).toEqual([2, expect.stringContaining('There is no case "huge"; there are one-file;')]);
  });
});
