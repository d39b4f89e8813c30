/** A world of real processes: a rendezvous and peers, each in a directory of its own, all gone at the end. */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Command, Daemon, programs, type RunResult } from './process.ts';
import { Processes } from './processes.ts';

/** The surroundings of a process, without settings of the person who runs the tests. */
const bareEnvironment = (home: string): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  HOME: home,
  LANG: 'C.UTF-8',
  NO_COLOR: '1',
  ...(process.env['NODE_V8_COVERAGE'] ? { NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'] } : {}),
});

interface PlaceOptions {
  /** Flags beyond those that the harness gives. */
  readonly args?: readonly string[];
  /** Command in front of Node, such as `ip netns exec NAME`. */
  readonly prefix?: readonly string[];
}

export interface RendezvousOptions extends PlaceOptions {
  /** HOST:PORT, default 127.0.0.1:0; after a restart the port of before. */
  readonly listen?: string;
}

export interface PeerOptions extends PlaceOptions {
  readonly listen?: string;
  /** `HOST:PORT`; default: the one of this world, if there is any; `null`: none. */
  readonly rendezvous?: string | null;
  /** The name that peers see; default: the name of the directory. */
  readonly name?: string;
}

export class Rendezvous {
  readonly directory: string;
  readonly #options: RendezvousOptions;
  readonly #processes: Processes;
  daemon: Daemon | undefined;
  readonly #earlier: Daemon[] = [];
  /** HOST:PORT */
  address = '';
  admin = '';
  id = '';

  constructor(directory: string, options: RendezvousOptions, processes: Processes) {
    this.directory = directory;
    this.#options = options;
    this.#processes = processes;
  }

  async start(): Promise<this> {
    await mkdir(this.directory, { recursive: true });
    const listen = this.address || this.#options.listen || '127.0.0.1:0';
    const args = ['--listen', listen, '--admin', '127.0.0.1:0', '--state-dir', join(this.directory, 'state'), ...(this.#options.args ?? [])];
    if (this.daemon) this.#earlier.push(this.daemon);
    this.daemon = this.#processes.start(() => new Daemon('rendezvous', programs.rendezvous, args, {
      env: bareEnvironment(this.directory),
      cwd: this.directory,
      ...(this.#options.prefix ? { prefix: this.#options.prefix } : {}),
    }));
    const line = await this.daemon.line((candidate) => candidate['listen'] !== undefined && candidate['id'] !== undefined);
    this.address = String(line['listen']);
    this.admin = String(line['admin']);
    this.id = String(line['id']);
    return this;
  }

  /** Of all its daemons, one after the other. */
  get logs(): string[] {
    return [...this.#earlier, ...(this.daemon ? [this.daemon] : [])].flatMap(({ log }) => log);
  }

  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.daemon?.end(signal);
  }
}

export class Peer {
  readonly name: string;
  readonly directory: string;
  readonly inboxDirectory: string;
  readonly #options: PeerOptions;
  readonly #processes: Processes;
  daemon: Daemon | undefined;
  readonly #earlier: Daemon[] = [];
  id = '';

  constructor(name: string, directory: string, options: PeerOptions, processes: Processes) {
    this.#processes = processes;
    this.name = options.name ?? name;
    this.directory = directory;
    this.inboxDirectory = join(directory, 'downloads');
    this.#options = options;
  }

  get socket(): string {
    return join(this.directory, 'run', 'peerd.sock');
  }

  get environment(): NodeJS.ProcessEnv {
    return bareEnvironment(this.directory);
  }

  /** Starts the daemon, again after `end` with the state of before. Resolves when it answers on its control socket. */
  async start(...moreArgs: readonly string[]): Promise<this> {
    const { rendezvous, listen = '127.0.0.1:0', args = [], prefix } = this.#options;
    if (this.daemon) this.#earlier.push(this.daemon);
    this.daemon = this.#processes.start(() => new Daemon(
      this.name,
      programs.peerd,
      [
        '--name', this.name, '--listen', listen, '--control', this.socket, '--state-dir', join(this.directory, 'state'), '--download-dir', this.inboxDirectory,
        '--metrics', '127.0.0.1:0', ...(rendezvous ? ['--rendezvous', rendezvous] : []), ...args, ...moreArgs,
      ],
      { env: this.environment, cwd: this.directory, ...(prefix ? { prefix } : {}) },
    ));
    const line = await this.daemon.line((candidate) => candidate['control'] !== undefined && candidate['id'] !== undefined);
    this.id = String(line['id']);
    return this;
  }

  /** Of all its daemons, one after the other. */
  get logs(): string[] {
    return [...this.#earlier, ...(this.daemon ? [this.daemon] : [])].flatMap(({ log }) => log);
  }

  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.daemon?.end(signal);
  }

  /** Runs peerctl in the background. */
  command(args: readonly string[], options: { cwd?: string; stdin?: 'ignore' | 'pipe' } = {}): Command {
    const { prefix } = this.#options;
    return this.#processes.start(() => new Command(programs.peerctl, ['--socket', this.socket, ...args], {
      env: this.environment,
      cwd: options.cwd ?? this.directory,
      ...(prefix ? { prefix } : {}),
      ...(options.stdin ? { stdin: options.stdin } : {}),
    }));
  }

  /** Runs peerctl to its end. */
  run(...args: readonly string[]): Promise<RunResult> {
    return this.command(args).result;
  }

  /** Runs `peerctl --json …`, which has to succeed, and returns its document. */
  async json<Document = Record<string, unknown>>(...args: readonly string[]): Promise<Document> {
    const { code, stdout, stderr } = await this.run('--json', ...args);
    if (code !== 0) throw new Error(`peerctl ${args.join(' ')} exited with ${code}: ${stderr}`);
    return JSON.parse(stdout) as Document;
  }

  /** Waits, by `peers --watch`, until the peers seen here fit. */
  async seesPeers(fits: (peers: readonly SeenPeer[]) => boolean, timeoutMs = 60_000): Promise<readonly SeenPeer[]> {
    const watch = this.command(['--json', 'peers', '--watch']);
    try {
      const line = await watch.line((candidate) => fits((candidate['peers'] ?? []) as SeenPeer[]), timeoutMs);
      return line['peers'] as SeenPeer[];
    } finally {
      await watch.end();
    }
  }

  /** Waits, by `transfers --watch`, until a transfer that is seen here fits. */
  async seesTransfer(fits: (transfer: SeenTransfer) => boolean, timeoutMs = 120_000): Promise<SeenTransfer> {
    const watch = this.command(['--json', 'transfers', '--watch']);
    let found: SeenTransfer | undefined;
    try {
      await watch.line((candidate) => {
        found = ((candidate['transfers'] ?? []) as SeenTransfer[]).find(fits);
        return found !== undefined;
      }, timeoutMs);
    } finally {
      await watch.end();
    }
    if (!found) throw new Error('no such transfer');
    return found;
  }
}

export interface SeenPeer {
  id: string;
  name: string;
  state: 'linked' | 'online' | 'offline';
  trust: string;
  addresses: string[];
}

export interface SeenTransfer {
  id: string;
  state: string;
  direction: 'send' | 'receive';
  bytes: number;
  bytesDone: number;
  peer: { id: string; name: string };
  error?: { code: string; message: string };
}

export class World implements AsyncDisposable {
  readonly directory: string;
  readonly peers: Peer[] = [];
  readonly #rendezvous: Rendezvous[] = [];
  readonly #processes = new Processes();
  readonly #keep: boolean;

  private constructor(directory: string, keep: boolean) {
    this.directory = directory;
    this.#keep = keep;
  }

  /** @param directory kept at the end; default: a temporary one that is removed */
  static async create(directory?: string): Promise<World> {
    if (directory !== undefined) await mkdir(directory, { recursive: true });
    // Socket paths are at most 107 bytes long: a short prefix.
    return new World(directory ?? (await mkdtemp(join(tmpdir(), 'pe-'))), directory !== undefined);
  }

  async rendezvous(options: RendezvousOptions = {}): Promise<Rendezvous> {
    const rendezvous = new Rendezvous(join(this.directory, `rendezvous${this.#rendezvous.length || ''}`), options, this.#processes);
    this.#rendezvous.push(rendezvous);
    return rendezvous.start();
  }

  /** A peer that is not started yet. */
  peer(name: string, options: PeerOptions = {}): Peer {
    const rendezvous = options.rendezvous === undefined ? this.#rendezvous[0]?.address : options.rendezvous;
    const peer = new Peer(name, join(this.directory, name), { ...options, rendezvous: rendezvous ?? null }, this.#processes);
    mkdirSync(peer.inboxDirectory, { recursive: true });
    this.peers.push(peer);
    return peer;
  }

  /** Started peers that all see one another. */
  async peersInOneRoom<const Names extends readonly string[]>(names: Names, options: PeerOptions = {}): Promise<{ [Index in keyof Names]: Peer }> {
    const peers = await Promise.all(names.map((name) => this.peer(name, options).start()));
    await Promise.all(peers.map((peer) => peer.seesPeers((seen) => peers.every((other) => other === peer || seen.some(({ id }) => id === other.id)))));
    return peers as { [Index in keyof Names]: Peer };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#processes.close();
    // A received directory may be without write permission for its owner.
    if (!this.#keep) await rm(this.directory, { recursive: true, force: true, maxRetries: 3 }).catch(() => forceRemove(this.directory));
  }
}

/** Node's own `rm` can't do names that are not UTF-8, nor directories without permissions; what it has begun goes on meanwhile. */
const forceRemove = async (directory: string): Promise<void> => {
  await promisify(execFile)('sh', ['-c', 'chmod -R u+rwX "$0" 2>/dev/null; rm -rf "$0"', directory]);
};
