/** A daemon of a tool: started for the bench on loopback, measured with the processes that it forks, ended by its group. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandNameOf, cpuSecondsOf, descendantsOf, peakRssOf } from './proc.ts';
import type { Usage } from './usage.ts';

const readyMs = 10_000;
const pollMs = 20;
const peakPollMs = 50;
const idleMs = 5_000;
const graceMs = 2_000;

/** Free a moment ago: the program that gets it has no way to choose one and to tell which. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
};

export interface ServerOptions {
  readonly label: string;
  readonly argv: readonly string[];
  /** It is up when somebody answers here; default: 127.0.0.1. */
  readonly host?: string;
  readonly port: number;
  readonly signal: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
}

export class Server implements AsyncDisposable {
  readonly #label: string;
  readonly #child: ChildProcess;
  #words = '';

  private constructor({ label, argv, env }: ServerOptions) {
    const [program = '', ...args] = argv;
    this.#label = label;
    this.#child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: env ?? process.env });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (this.#words = (this.#words + text).slice(-600)));
    this.#child.on('error', (error) => (this.#words += error.message));
  }

  static async start(options: ServerOptions): Promise<Server> {
    const server = new Server(options);
    try {
      await server.#ready(options);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** What the daemon and the processes that it forks use while `work` runs. */
  async during<Result>(work: () => Promise<Result>): Promise<{ result: Result; usage: Usage }> {
    const pid = this.#pid;
    const before = await cpuSecondsOf(pid);
    const peaks = new Map<string, number>();
    const look = (): void => {
      for (const child of descendantsOf(pid)) {
        const name = commandNameOf(child);
        const bytes = peakRssOf(child);
        if (name !== undefined && bytes !== undefined) peaks.set(name, Math.max(bytes, peaks.get(name) ?? 0));
      }
    };
    const timer = setInterval(look, peakPollMs);
    try {
      const result = await work();
      look();
      await this.#idle();
      const usage = { cpuSeconds: (await cpuSecondsOf(pid)) - before, peaks: [...peaks].map(([name, bytes]) => ({ process: `${name} (server)`, bytes })) };
      return { result, usage };
    } finally {
      clearInterval(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = (): boolean => this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
    if (!running()) return;
    const exited = once(this.#child, 'exit');
    this.#kill('SIGTERM');
    const timer = setTimeout(() => this.#kill('SIGKILL'), graceMs);
    await exited;
    clearTimeout(timer);
    // What it forked and left behind.
    this.#kill('SIGKILL');
  }

  get #pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.#label} did not start: ${this.#words}`);
    return this.#child.pid;
  }

  #kill(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.#pid, signal);
    } catch {
      // It is gone already.
    }
  }

  async #ready({ host = '127.0.0.1', port, signal }: ServerOptions): Promise<void> {
    const deadline = performance.now() + readyMs;
    while (!(await answers(host, port))) {
      signal.throwIfAborted();
      if (this.#child.pid === undefined || this.#child.exitCode !== null || performance.now() > deadline) throw new Error(`${this.#label} did not start: ${this.#words.trim()}`);
      await sleep(pollMs, undefined, { signal });
    }
    await this.#idle();
  }

  /** The kernel adds the time of a child to its parent's when the parent has waited for it. */
  async #idle(): Promise<void> {
    const deadline = performance.now() + idleMs;
    while (descendantsOf(this.#pid).length > 0 && performance.now() < deadline) await sleep(pollMs);
  }
}

const answers = async (host: string, port: number): Promise<boolean> => {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
};
