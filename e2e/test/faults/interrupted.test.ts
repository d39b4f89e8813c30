/** Runs that are ended from outside: by Ctrl-C, and by kill -9. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { faults } from '../../faults/faults/index.ts';
import { directoryPrefix, removeLeftovers } from '../../faults/leftovers.ts';
import { possible } from '../../faults/many.ts';
import { namespacesOf } from '../../harness/namespaces.ts';

/** With network namespaces, mounts, and shared memory. */
const names = ['unplug', 'clock', 'full-downloads'];
const { faults: chosen, skipped } = await possible(faults.filter(({ name }) => names.includes(name)));
if (skipped.length > 0) console.warn(`skipped: interrupted runs: ${skipped.map(({ why }) => why).join('; ')}`);

interface Traces {
  readonly directories: readonly string[];
  readonly namespaces: readonly string[];
  readonly mounts: number;
  readonly daemons: readonly number[];
  /** Shared memory and semaphores of the daemons. */
  readonly shared: readonly string[];
}
const none: Traces = { directories: [], namespaces: [], mounts: 0, daemons: [], shared: [] };

/** Clocks of processes that were killed long ago may have the numbers of ours. */
const olderClocks = new Set(readdirSync('/dev/shm'));

/** What there is of the runs of this process. @param before daemons that may be gone now */
const tracesOf = async (pid: number, before: readonly number[] = []): Promise<Traces> => {
  const prefix = directoryPrefix(pid);
  const daemons = readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readlinkSync(`/proc/${name}/cwd`).startsWith(prefix);
    } catch {
      return false;
    }
  }).map(Number);
  const clocks = new Set([...before, ...daemons].flatMap((daemon) => [`faketime_shm_${daemon}`, `sem.faketime_sem_${daemon}`]));
  return {
    directories: readdirSync(tmpdir()).filter((name) => name.startsWith(basename(prefix))),
    namespaces: (await namespacesOf()).filter((namespace) => namespace.pid === pid).map(({ name }) => name),
    mounts: readFileSync('/proc/self/mounts', 'utf8').split(prefix).length - 1,
    daemons,
    shared: readdirSync('/dev/shm').filter((name) => clocks.has(name) && !olderClocks.has(name)),
  };
};

type Harness = ChildProcess & { readonly pid: number; readonly stderr: Readable };

/** Three runs at once, each in the middle. */
const started = async (): Promise<{ harness: Harness; traces: Traces }> => {
  const main = fileURLToPath(new URL('../../faults/main.ts', import.meta.url));
  const harness = spawn(process.execPath, ['--conditions=@peerd/source', main, '--only', names.join(','), '--runs', '3', '--jobs', '3'], { stdio: ['ignore', 'ignore', 'pipe'] }) as Harness;
  onTestFinished(() => void harness.kill('SIGKILL'));
  let traces = none;
  await expect.poll(async () => {
    traces = await tracesOf(harness.pid);
    // Nine daemons; the commands that send work there too.
    return [traces.directories.length, traces.namespaces.length, traces.mounts, traces.daemons.length > 9, traces.shared.length > 0];
  }, { timeout: 60_000 }).toEqual([3, 2, 1, true, true]);
  return { harness, traces };
};

describe.skipIf(chosen.length < names.length)('runs that are ended from outside', () => {
  test('Ctrl-C, which comes twice: everything is gone at the end', async () => {
    const { harness, traces } = await started();
    const exited = once(harness, 'exit');
    harness.kill('SIGINT');
    // It says that it has heard the first.
    await once(harness.stderr, 'data');
    harness.kill('SIGINT');
    expect(await exited).toEqual([130, null]);
    expect(await tracesOf(harness.pid, traces.daemons)).toEqual(none);
  });

  test('kill -9: the next run finds what is left, and removes it', async () => {
    const { harness, traces } = await started();
    harness.kill('SIGKILL');
    await once(harness, 'exit');
    expect(await removeLeftovers()).toEqual(expect.arrayContaining([...traces.directories.map((name) => join(tmpdir(), name)), ...traces.namespaces.map((name) => `network namespace ${name}`)]));
    await expect.poll(() => tracesOf(harness.pid, traces.daemons)).toEqual(none);
  });
});
