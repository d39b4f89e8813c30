import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { type CommandResult, runCommand } from '../../src/hooks/run-command.ts';

const run = (script: string, more: { timeoutMs?: number; signal?: AbortSignal; cwd?: string } = {}): Promise<CommandResult> =>
  runCommand({ words: ['/bin/sh', '-c', script], env: { PATH: process.env['PATH'], GREETING: 'hi' }, timeoutMs: 20_000, signal: new AbortController().signal, ...more });

/** Resolves when the process is gone; a zombie that its new parent did not bury yet counts as gone. */
const gone = (pid: number): Promise<void> =>
  vi.waitFor(async () => expect(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ' Z ')).toContain(' Z '), { timeout: 20_000 });

describe('a program of the person', () => {
  test('gets its words as they are, its environment and its directory, and no input', async () => {
    expect(await runCommand({ words: ['/bin/echo', '$HOME', '; rm x', '*'], env: {}, timeoutMs: 20_000, signal: new AbortController().signal })).toEqual({ outcome: 'done', detail: 'exit code 0', output: '$HOME ; rm x *\n' });
    expect(await run('pwd; echo $GREETING; cat; echo end >&2', { cwd: '/' })).toEqual({ outcome: 'done', detail: 'exit code 0', output: '/\nhi\nend\n' });
  });

  test('that fails, is killed or is not there', async () => {
    expect(await run('echo no; exit 7')).toEqual({ outcome: 'failed', detail: 'exit code 7', output: 'no\n' });
    expect(await run('kill -9 $$')).toMatchObject({ outcome: 'failed', detail: 'ended by SIGKILL' });
    expect(await runCommand({ words: ['/nonexistent/program'], env: {}, timeoutMs: 20_000, signal: new AbortController().signal })).toMatchObject({ outcome: 'failed', detail: expect.stringContaining('ENOENT') as string });
    expect(await run('true', { cwd: '/nonexistent' })).toMatchObject({ outcome: 'failed' });
  });

  test('that cannot be started for want of descriptors', () => {
    const script = fileURLToPath(new URL('./run-without-descriptors.ts', import.meta.url));
    const { stdout, stderr } = spawnSync('/bin/sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, '--conditions=@peerd/source', script], { encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: expect.stringMatching(/^failed: .*EMFILE\n$/) as string, stderr: '' });
  });

  test('that writes without end keeps no more than the beginning', async () => {
    const { outcome, output } = await run('head -c 3000000 /dev/zero | tr "\\0" x');
    expect([outcome, output]).toEqual(['done', 'x'.repeat(4_096)]);
  });

  test('that takes too long is ended with everything that it started', async () => {
    const { outcome, detail, output } = await run('sleep 1000 & echo $!; wait', { timeoutMs: 300 });
    expect([outcome, detail]).toEqual(['timeout', 'not done after 0.3 s']);
    await gone(Number(output));
  });

  test('that does not listen is killed', async () => {
    const { outcome, output } = await run('trap "" TERM; sleep 1000 & echo $!; while :; do wait; done', { timeoutMs: 300 });
    expect(outcome).toBe('timeout');
    await gone(Number(output));
  });

  test('ends when peerd stops, and does not begin then', async () => {
    const controller = new AbortController();
    const running = run('echo started; sleep 1000', { signal: controller.signal });
    controller.abort();
    expect(await running).toMatchObject({ outcome: 'stopped' });
    expect(await run('true', { signal: controller.signal })).toMatchObject({ outcome: 'stopped' });
  });
});
