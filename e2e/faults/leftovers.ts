/** What runs have left that were killed before they could clean up. Their names tell of which process they are. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { namespacesOf } from '../harness/namespaces.ts';
import { removeClocks } from './clocks.ts';
import { unmount } from './system.ts';

const run = promisify(execFile);

/** Of the directory of a run. Socket paths are at most 107 bytes long: a short one. */
export const directoryPrefix = (pid: number): string => join(tmpdir(), `pe-faults-${pid}-`);

/** A run in which something was wrong keeps its directory. */
export const reportFile = (directory: string): string => join(directory, 'logs', 'wrong.txt');

/** @returns what was removed: directories and network namespaces */
export const removeLeftovers = async (): Promise<string[]> => {
  const removed: string[] = [];
  for (const name of readdirSync(tmpdir())) {
    const pid = /^pe-faults-(\d+)-/.exec(name)?.[1];
    const directory = join(tmpdir(), name);
    if (pid === undefined || isRunning(Number(pid)) || isReported(directory)) continue;
    for (const process of processesIn(directory)) kill(process);
    for (const mount of mountsIn(directory)) await unmount(mount);
    removeClocks(directory);
    rmSync(directory, { recursive: true, force: true });
    removed.push(directory);
  }
  for (const { name, pid } of await namespacesOf()) {
    if (isRunning(pid)) continue;
    await run('ip', ['netns', 'del', name]);
    removed.push(`network namespace ${name}`);
  }
  return removed;
};

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
};

const isReported = (directory: string): boolean => {
  try {
    readFileSync(reportFile(directory));
    return true;
  } catch {
    return false;
  }
};

/** Everything that a run starts works in its directory. */
const processesIn = (directory: string): number[] =>
  readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`).startsWith(`${directory}/`);
    } catch {
      // Gone meanwhile, or of somebody else.
      return false;
    }
  });

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone meanwhile.
  }
};

const mountsIn = (directory: string): string[] =>
  readFileSync('/proc/self/mounts', 'utf8').split('\n').map((line) => line.split(' ')[1] ?? '').filter((path) => path.startsWith(`${directory}/`));
