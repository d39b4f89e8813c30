/** The real program, as a process: bundled from the sources as the build does it, so that each of many starts is fast. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'rolldown';
import { afterAll } from 'vitest';
import { bundleInto } from '../../rolldown.config.ts';

const root = join(import.meta.dirname, '../..');

const bundle = async (): Promise<string> => {
  // Inside of the package: the program looks for its package.json.
  await mkdir(join(root, 'dist'), { recursive: true });
  const directory = await mkdtemp(join(root, 'dist', 'test-'));
  afterAll(() => rm(directory, { recursive: true, force: true }));
  await build({ ...bundleInto(directory), logLevel: 'warn' });
  return join(directory, 'main.cjs');
};

export const command: readonly string[] = [process.execPath, await bundle()];

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** What stdout has so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves when stdout or stderr matches. Rejects when the process ended without. */
  shows(pattern: RegExp): Promise<void>;
  type(text: string): void;
}

export interface SpawnOptions {
  readonly socket?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Without it stdin is at its end. */
  readonly stdin?: 'open';
}

/** Nothing of the environment that says where sockets are or how a terminal looks. */
const cleanEnvironment = (options: SpawnOptions): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  TZ: 'UTC',
  LANG: 'C.UTF-8',
  TERM: 'xterm-256color',
  ...(options.socket === undefined ? {} : { PEERCTL_SOCKET: options.socket }),
  ...options.env,
});

export const start = (args: readonly string[], options: SpawnOptions = {}): Started => watch([...command, ...args], options);

export const peerctl = (args: readonly string[], options: SpawnOptions = {}): Promise<Finished> => start(args, options).finished;

/** The same on a pseudo-terminal of `columns` × 24 (script(1)); stdout has what the screen gets. */
export const startOnTerminal = (args: readonly string[], options: SpawnOptions & { readonly columns?: number } = {}): Started => {
  const quoted = [...command, ...args].map((part) => `'${part.replaceAll("'", `'\\''`)}'`).join(' ');
  return watch(['script', '-qec', `stty cols ${options.columns ?? 80} rows 24; exec ${quoted}`, '/dev/null'], { ...options, stdin: 'open' });
};

const watch = (words: readonly string[], options: SpawnOptions): Started => {
  const [program = '', ...args] = words;
  const child = spawn(program, args, { cwd: options.cwd ?? root, env: cleanEnvironment(options), stdio: [options.stdin === 'open' ? 'pipe' : 'ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  const heard = (): void => {
    for (const listener of listeners) listener();
  };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    heard();
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    heard();
  });
  const finished = once(child, 'close').then(([code]): Finished => ({ code: code as number | null, stdout, stderr }));
  const shows = async (pattern: RegExp): Promise<void> => {
    const matches = (): boolean => pattern.test(stdout) || pattern.test(stderr);
    if (matches()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const listener = (): void => {
      if (matches()) resolve();
    };
    listeners.add(listener);
    void finished.then(() => reject(new Error(`ended without ${pattern}:\n${stdout}\n${stderr}`)));
    await promise.finally(() => listeners.delete(listener));
  };
  return { child, finished, stdout: () => stdout, stderr: () => stderr, shows, type: (text) => void child.stdin?.write(text) };
};

/** Sends a signal to the program on the pseudo-terminal, as `kill` does: script(1) has it as its only child. */
export const signalOnTerminal = (running: Started, signal: NodeJS.Signals): void => {
  const { pid } = running.child;
  process.kill(Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()), signal);
};

/** The documents of NDJSON. */
export const documents = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
