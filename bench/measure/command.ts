/** A command that is measured: GNU time counts its whole tree, and a group of its own lets the whole tree be ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './programs.ts';
import type { Usage } from './usage.ts';

export interface CommandOptions {
  /** How the report names it. */
  readonly label: string;
  readonly argv: readonly string[];
  readonly signal: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

export interface CommandResult extends Usage {
  readonly stdout: string;
}

const keptBytes = 1024 * 1024;
const shownBytes = 600;
let count = 0;

/** A pipeline of the shell: fails when one of its commands does. Arguments are `$1`, `$2`, … */
export const pipeline = (script: string, ...args: readonly string[]): string[] => ['bash', '-c', `set -eo pipefail; ${script}`, 'bash', ...args];

export class Command {
  readonly #label: string;
  readonly #child: ChildProcess;
  readonly #report: string | undefined;
  /** Its end, whether somebody waits for it or not. */
  readonly #closed: Promise<Usage>;
  readonly #signal: AbortSignal;
  #stdout = '';
  #stderr = '';
  #onText: () => void = () => {};

  constructor({ label, argv, signal, env, cwd }: CommandOptions) {
    signal.throwIfAborted();
    const time = findProgram('time');
    this.#label = label;
    this.#signal = signal;
    this.#report = time && join(tmpdir(), `peerd-bench-${process.pid}-${(count += 1)}.time`);
    const [program = '', ...args] = [...(time && this.#report ? [time, '-q', '-o', this.#report, '-f', '%U %S %M'] : []), ...argv];
    this.#child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: env ?? process.env, ...(cwd === undefined ? {} : { cwd }) });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout = (this.#stdout + text).slice(-keptBytes);
      this.#onText();
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-keptBytes);
      this.#onText();
    });
    const onAbort = (): void => this.kill();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#closed = once(this.#child, 'close').finally(() => {
      signal.removeEventListener('abort', onAbort);
      this.#onText();
    }).then(() => this.#usage());
    // Whoever waits for it is told; it may end before anybody does.
    this.#closed.catch(() => {});
  }

  /** The first match in what it has said or will say. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.#stderr) ?? pattern.exec(this.#stdout);
      if (found) return found;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw this.#failure();
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onText = resolve;
      await promise;
    }
  }

  /** @throws Error when it fails, with its last words */
  async finished(): Promise<CommandResult> {
    const usage = await this.#closed;
    if (this.#child.exitCode !== 0) throw this.#failure();
    return { stdout: this.#stdout, ...usage };
  }

  /** For one that runs until Ctrl-C: ends it so. */
  async interrupted(): Promise<Usage> {
    this.#signalAll('SIGINT');
    return this.#closed;
  }

  kill(): void {
    this.#signalAll('SIGKILL');
  }

  #signalAll(signal: NodeJS.Signals): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal);
    } catch {
      // It is gone already.
    }
  }

  async #usage(): Promise<Usage> {
    if (!this.#report) return { cpuSeconds: undefined, peaks: [] };
    // Ended by a signal, it may have no report.
    const text = await readFile(this.#report, 'utf8').catch(() => '');
    await rm(this.#report, { force: true });
    const [user = 0, system = 0, kib = 0] = text.trim().split(' ').map(Number);
    return { cpuSeconds: user + system, peaks: [{ process: this.#label, bytes: kib * 1024 }] };
  }

  #failure(): Error {
    if (this.#signal.aborted) return this.#signal.reason as Error;
    const words = (this.#stderr.trim() || this.#stdout.trim()).slice(-shownBytes);
    return new Error(`${this.#label} ended with ${this.#child.exitCode ?? this.#child.signalCode}${words ? `: ${words}` : ''}`);
  }
}

export const runCommand = (options: CommandOptions): Promise<CommandResult> => new Command(options).finished();
