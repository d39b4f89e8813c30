/** Programs of the system that faults need, and whether they can be used here. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { namespacesUnavailable } from '../harness/namespaces.ts';

const run = promisify(execFile);

export type Need = 'mount' | 'namespaces' | 'strace' | 'prlimit' | 'libfaketime';

const faketimeRoot = '/usr/lib';

/** Debian's package libfaketime; a path for `LD_PRELOAD`. */
export const faketimeLibrary = (): string | undefined => {
  for (const name of existsSync(faketimeRoot) ? readdirSync(faketimeRoot) : []) {
    const path = `${faketimeRoot}/${name}/faketime/libfaketimeMT.so.1`;
    if (existsSync(path)) return path;
  }
  return undefined;
};

const works = (command: string, ...args: string[]): boolean => {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

const isRoot = process.getuid?.() === 0;

const checks: Readonly<Record<Need, () => Promise<string | undefined>>> = {
  mount: async () => (isRoot && works('unshare', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt') ? undefined : 'mounting a tmpfs needs root'),
  namespaces: namespacesUnavailable,
  // Of another process, not of a child: that is what faults do, and what is often forbidden.
  strace: async () => {
    if (!works('strace', '-V')) return 'strace is not installed';
    const sleeper = spawn('sleep', ['60'], { stdio: 'ignore' });
    try {
      await (await traced(sleeper.pid ?? 0, [])).end();
      return undefined;
    } catch {
      return 'strace may not trace other processes here';
    } finally {
      sleeper.kill('SIGKILL');
    }
  },
  prlimit: async () => (works('prlimit', '--version') ? undefined : 'prlimit (util-linux) is not installed'),
  libfaketime: async () => (faketimeLibrary() === undefined ? 'libfaketime is not installed' : undefined),
};

const known = new Map<Need, Promise<string | undefined>>();

/** Why it can't be had here, or `undefined`. */
export const lacks = (need: Need): Promise<string | undefined> => {
  const answer = known.get(need) ?? checks[need]();
  known.set(need, answer);
  return answer;
};

export interface Traced {
  /** The process goes on as if nothing had been. */
  end(): Promise<void>;
}

/** Attaches strace to all threads of a running process. @param output a file for what it sees @throws Error when it may not, or the process is gone */
export const traced = async (pid: number, options: readonly string[], output = '/dev/null'): Promise<Traced> => {
  const strace = spawn('strace', ['-f', '-o', output, '-p', String(pid), ...options], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(strace, 'exit');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  createInterface({ input: strace.stderr }).on('line', (line) => {
    if (/ attached/.test(line)) resolve();
  });
  strace.on('error', reject);
  void exited.then(() => reject(new Error(`strace cannot attach to process ${pid}`)));
  await promise;
  return {
    end: async () => {
      strace.kill('SIGINT');
      await exited;
    },
  };
};

export const mountTmpfs = async (directory: string, bytes: number): Promise<void> => void (await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=700`, 'peerd-faults', directory]));
export const unmount = async (directory: string): Promise<void> => void (await run('umount', ['--lazy', directory]));

/** @returns `false` while a file is open for writing there */
export const remount = (directory: string, how: 'ro' | 'rw'): Promise<boolean> => run('mount', ['-o', `remount,${how}`, directory]).then(() => true, () => false);

/** Soft and hard limit of open files, such as `1024:4096`. */
export const setOpenFiles = async (pid: number, limits: string): Promise<void> => void (await run('prlimit', ['--pid', String(pid), `--nofile=${limits}`]));
export const openFilesLimits = async (pid: number): Promise<string> => {
  const { stdout } = await run('prlimit', ['--pid', String(pid), '--nofile', '--noheadings', '--raw', '--output', 'SOFT,HARD']);
  return stdout.trim().replace(/\s+/, ':');
};
