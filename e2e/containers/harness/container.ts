/** A service of the compose project as a container: its programs, and the faults that befall it. */
import type { ContainerRuntimeClient } from 'testcontainers';
import { Command, type RunResult } from '../../harness/process.ts';
import { until } from './poll.ts';

type Handle = ReturnType<ContainerRuntimeClient['container']['getById']>;

const docker = { executable: 'docker', env: process.env, cwd: process.cwd() };

export class Container {
  readonly service: string;
  readonly #client: ContainerRuntimeClient;
  readonly #handle: Handle;
  readonly #network: string;

  /** @param network name of the network on which the others reach it */
  constructor(client: ContainerRuntimeClient, id: string, service: string, network: string) {
    this.#client = client;
    this.#handle = client.container.getById(id);
    this.service = service;
    this.#network = network;
  }

  /** Runs a program in it, in the background. */
  command(program: string, ...args: readonly string[]): Command {
    return new Command('exec', [this.#handle.id, program, ...args], docker);
  }

  run(program: string, ...args: readonly string[]): Promise<RunResult> {
    return this.command(program, ...args).result;
  }

  /** Runs a JavaScript expression or block in it, with `fs`, `http`, `crypto` and `args`, and returns its value. The image has no shell. */
  async evaluate<Value>(expression: string, ...args: readonly string[]): Promise<Value> {
    const modules = "const fs = require('node:fs'), http = require('node:http'), crypto = require('node:crypto');";
    const script = `${modules} (async (args) => ${expression})(process.argv.slice(1)).then((value) => process.stdout.write(JSON.stringify(value ?? null)))`;
    const { code, stdout, stderr } = await this.run('node', '-e', script, '--', ...args);
    if (code !== 0) throw new Error(`${this.service}: ${expression} failed: ${stderr}`);
    return JSON.parse(stdout) as Value;
  }

  /** As a power failure: no signal handler runs. */
  async kill(): Promise<void> {
    const ended = this.#handle.wait();
    await this.#handle.kill({ signal: 'SIGKILL' });
    await ended;
  }

  /** As `docker stop`, with the stop signal of the image. Resolves with the exit code. */
  async stop(): Promise<number> {
    await this.#handle.stop({ t: 20 });
    return (await this.#handle.inspect()).State.ExitCode;
  }

  async start(): Promise<void> {
    await this.#handle.start();
  }

  /** The freezer of cgroup v1 may give up when a process starts at that moment (opencontainers/runc#2791): then again. */
  async pause(): Promise<void> {
    await until(`${this.service} is paused`, () => this.#handle.pause(), () => true, 10_000);
  }

  async unpause(): Promise<void> {
    await this.#handle.unpause();
  }

  async disconnect(): Promise<void> {
    await this.#client.network.getById(this.#network).disconnect({ Container: this.#handle.id });
  }

  async connect(): Promise<void> {
    await this.#client.container.connectToNetwork(this.#handle, this.#client.network.getById(this.#network), [this.service]);
  }

  /** Undoes whatever befell it. */
  async mend(): Promise<void> {
    const { State, NetworkSettings } = await this.#handle.inspect();
    if (State.Paused) await this.unpause();
    if (NetworkSettings.Networks[this.#network] === undefined) await this.connect();
    if (!State.Running) await this.start();
  }

  /** Its address on the network, empty when it is on none. */
  async address(): Promise<string> {
    return (await this.#handle.inspect()).NetworkSettings.Networks[this.#network]?.IPAddress ?? '';
  }

  /** By the health check of the image: `starting`, `healthy` or `unhealthy`. */
  async health(): Promise<string> {
    return (await this.#handle.inspect()).State.Health?.Status ?? 'no health check';
  }

  /** The last lines of its log. */
  async log(): Promise<string> {
    const { stdout, stderr } = await new Command('logs', ['--tail', '40', this.#handle.id], docker).result;
    return stdout + stderr;
  }
}
