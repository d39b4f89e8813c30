/** A program of ours as a child process: started with Node, watched by its log, ended by its own pid. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);

/** The built programs, as `node_modules/.bin` runs them. */
export const programs = {
  rendezvous: fileURLToPath(new URL('apps/rendezvous/bin/rendezvous.js', root)),
  peerd: fileURLToPath(new URL('apps/peerd/bin/peerd.js', root)),
  peerctl: fileURLToPath(new URL('apps/cli/bin/peerctl.js', root)),
} as const;

export type LogLine = Record<string, unknown> & { msg?: string; level?: number };

/** The flags of Node in its first line. */
const nodeFlags = (program: string): string[] => (/^#!\/usr\/bin\/env -S node (.+)/.exec(readFileSync(program, 'utf8'))?.[1] ?? '').split(' ').filter((flag) => flag !== '');

const startTimeoutMs = 30_000;
const keptLines = 400;

export interface StartOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Command in front of Node, such as `ip netns exec NAME`. */
  readonly prefix?: readonly string[];
}

/** A daemon of ours. */
export class Daemon {
  readonly name: string;
  readonly child: ChildProcess;
  /** The last lines of its log, as they came. */
  readonly log: string[] = [];
  /** Resolves with the exit code, `null` after a signal. */
  readonly exited: Promise<number | null>;
  readonly #waiting = new Set<{ fits: (line: LogLine) => boolean; resolve: (line: LogLine) => void; reject: (error: Error) => void }>();

  constructor(name: string, program: string, args: readonly string[], options: StartOptions) {
    this.name = name;
    const [command = process.execPath, ...rest] = [...(options.prefix ?? []), process.execPath, ...nodeFlags(program), program, ...args];
    this.child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: options.env, cwd: options.cwd });
    this.exited = once(this.child, 'exit').then(() => this.child.exitCode);
    for (const stream of [this.child.stdout, this.child.stderr]) if (stream) createInterface({ input: stream }).on('line', (line) => this.#onLine(line));
    void this.exited.then(() => {
      for (const waiting of this.#waiting) waiting.reject(new Error(`${name} exited with ${this.child.exitCode ?? this.child.signalCode}:\n${this.log.slice(-20).join('\n')}`));
    });
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.name} did not start`);
    return this.child.pid;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The next log line that fits. */
  async line(fits: (line: LogLine) => boolean): Promise<LogLine> {
    const { promise, resolve, reject } = Promise.withResolvers<LogLine>();
    const waiting = { fits, resolve, reject };
    this.#waiting.add(waiting);
    const timer = setTimeout(() => reject(new Error(`${this.name} did not log what was waited for:\n${this.log.slice(-20).join('\n')}`)), startTimeoutMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(waiting);
    }
  }

  /** Sends a signal and waits for the end of the process. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    if (this.running) {
      this.child.kill('SIGCONT');
      this.child.kill(signal);
    }
    return this.exited;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  #onLine(text: string): void {
    this.log.push(text);
    if (this.log.length > keptLines) this.log.shift();
    let line: LogLine;
    try {
      line = JSON.parse(text) as LogLine;
    } catch {
      return;
    }
    for (const waiting of this.#waiting) if (waiting.fits(line)) waiting.resolve(line);
  }
}

export interface RunResult {
  /** Exit code; 128 + n when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command of ours that runs in the background: its NDJSON lines as they come, and its result at the end. */
export class Command {
  readonly child: ChildProcess;
  readonly result: Promise<RunResult>;
  readonly #lines: Record<string, unknown>[] = [];
  readonly #listeners = new Set<() => void>();
  #ended = false;

  /** @param options.executable what runs `program`, such as `docker` a container's; default: this Node */
  constructor(program: string, args: readonly string[], options: StartOptions & { stdin?: 'ignore' | 'pipe'; executable?: string }) {
    const [command = process.execPath, ...rest] = [...(options.prefix ?? []), options.executable ?? process.execPath, program, ...args];
    this.child = spawn(command, rest, { stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'], env: options.env, cwd: options.cwd });
    let stdout = '';
    let stderr = '';
    let partial = '';
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const lines = (partial + text).split('\n');
      partial = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith('{')) this.#push(line);
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    this.result = once(this.child, 'close').then(() => {
      this.#ended = true;
      for (const listener of this.#listeners) listener();
      return { code: this.child.exitCode ?? 128 + 9, stdout, stderr };
    });
  }

  get lines(): readonly Record<string, unknown>[] {
    return this.#lines;
  }

  /** The first NDJSON line, of before or to come, that fits. */
  async line(fits: (line: Record<string, unknown>) => boolean, timeoutMs = 60_000): Promise<Record<string, unknown>> {
    const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
    let seen = 0;
    const look = (): void => {
      for (; seen < this.#lines.length; seen += 1) {
        const line = this.#lines[seen];
        if (line && fits(line)) return resolve(line);
      }
      if (this.#ended) reject(new Error(`the command ended without the line that was waited for; the last was ${JSON.stringify(this.#lines.at(-1))}`));
    };
    this.#listeners.add(look);
    const timer = setTimeout(() => reject(new Error(`the line that was waited for did not come; the last was ${JSON.stringify(this.#lines.at(-1))}`)), timeoutMs);
    look();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#listeners.delete(look);
    }
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<RunResult> {
    this.child.kill(signal);
    return this.result;
  }

  #push(line: string): void {
    try {
      this.#lines.push(JSON.parse(line) as Record<string, unknown>);
    } catch {
      return;
    }
    for (const listener of this.#listeners) listener();
  }
}
