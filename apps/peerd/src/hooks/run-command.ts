/** One program of the person who runs peerd: without a shell, in a process group of its own, for a bounded time. */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

export interface CommandOptions {
  /** Program and arguments. */
  readonly words: readonly string[];
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

export interface CommandResult {
  readonly outcome: 'done' | 'failed' | 'timeout' | 'stopped';
  /** Exit code, signal, or why it could not be started. */
  readonly detail: string;
  /** The beginning of what it wrote, raw. */
  readonly output: string;
}

const maxOutputBytes = 4_096;
/** Between asking the group to end and ending it. */
const killGraceMs = 2_000;

export const runCommand = async ({ words: [program = '', ...args], cwd, env, timeoutMs, signal }: CommandOptions): Promise<CommandResult> => {
  if (signal.aborted) return { outcome: 'stopped', detail: 'peerd stops', output: '' };
  const output: Buffer[] = [];
  let bytes = 0;
  const collect = (part: Buffer): void => {
    // What comes after that is read and dropped, so that the program does not wait for a reader.
    const kept = part.subarray(0, Math.max(0, maxOutputBytes - bytes));
    bytes += kept.byteLength;
    if (kept.byteLength > 0) output.push(kept);
  };
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  // Node makes none when the process has no descriptor left; the error comes then.
  const pipes: readonly (Readable | undefined)[] = [child.stdout, child.stderr];
  let cause: 'timeout' | 'stopped' | undefined;
  let killing: NodeJS.Timeout | undefined;
  const { promise, resolve } = Promise.withResolvers<Omit<CommandResult, 'output'>>();
  const settle = (code: number | null, by: string | null): void => {
    const detail = code === null ? `ended by ${by ?? 'a signal'}` : `exit code ${code}`;
    resolve({ outcome: cause ?? (code === 0 ? 'done' : 'failed'), detail: cause === 'timeout' ? `not done after ${timeoutMs / 1_000} s` : detail });
  };
  const end = (why: 'timeout' | 'stopped'): void => {
    if (cause !== undefined) return;
    cause = why;
    killGroup(child.pid, 'SIGTERM');
    killing = setTimeout(() => {
      killGroup(child.pid, 'SIGKILL');
      // A process that left the group may hold the pipes open; nobody waits for it.
      settle(child.exitCode, child.signalCode ?? 'SIGKILL');
    }, killGraceMs);
  };
  const onAbort = (): void => end('stopped');
  const timer = setTimeout(() => end('timeout'), timeoutMs);
  signal.addEventListener('abort', onAbort, { once: true });
  for (const pipe of pipes) pipe?.on('data', collect);
  child.once('error', (error) => resolve({ outcome: 'failed', detail: error.message }));
  child.once('close', settle);
  try {
    const result = await promise;
    return { ...result, output: Buffer.concat(output).toString('utf8') };
  } finally {
    clearTimeout(timer);
    clearTimeout(killing);
    signal.removeEventListener('abort', onAbort);
    for (const pipe of pipes) pipe?.destroy();
  }
};

const killGroup = (pid: number | undefined, by: NodeJS.Signals): void => {
  if (pid === undefined) return;
  try {
    process.kill(-pid, by);
  } catch {
    // It is over already.
  }
};
