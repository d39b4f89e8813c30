/** Where a run takes place: a rendezvous and two peers, linked as the fault needs it. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ask } from '../harness/control.ts';
import { type Host, twoHosts } from '../harness/namespaces.ts';
import { type Peer, type Rendezvous, World } from '../harness/world.ts';
import { clockPrefix, removeClocks, setClock } from './clocks.ts';
import type { Side } from './load.ts';
import { FaultProxy } from './proxy.ts';
import { mountTmpfs, unmount } from './system.ts';

const MiB = 1024 * 1024;

export interface Setting {
  /** `rendezvous`: introduced, on loopback. `proxy`: they know each other only behind proxies. `namespaces`: on hosts of their own. */
  readonly through: 'rendezvous' | 'proxy' | 'namespaces';
  /** A directory that lies on a small file system of its own. */
  readonly small?: { readonly side: Side; readonly directory: 'downloads' | 'state' } | undefined;
  /** Clocks that can be set. */
  readonly clocks?: boolean | undefined;
}

const smallBytes = 64 * MiB;

export class Stage implements AsyncDisposable {
  readonly world: World;
  readonly proxies: FaultProxy[] = [];
  readonly hosts: Host[] = [];
  /** The small file system. */
  small: string | undefined;
  /** What ended, although nobody ended it. */
  readonly crashes: string[] = [];
  readonly #cleanup = new AsyncDisposableStack();
  rendezvous: Rendezvous | undefined;
  #peers: Readonly<Record<Side, Peer>> | undefined;

  private constructor(world: World) {
    this.world = world;
  }

  /** @param directory of the world; stays */
  static async open(directory: string, setting: Setting): Promise<Stage> {
    const stage = new Stage(await World.create(directory));
    try {
      await stage.#build(setting);
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  peer(side: Side): Peer {
    const peer = this.#peers?.[side];
    if (!peer) throw new Error('the stage is not built yet');
    return peer;
  }

  get peers(): readonly Peer[] {
    return [this.peer('alice'), this.peer('bob')];
  }

  /** kill -9, and after a while a new start. */
  async kill(who: Peer | Rendezvous, pause: () => Promise<unknown>): Promise<void> {
    this.look(who);
    await who.end('SIGKILL');
    await pause();
    await who.start();
  }

  /** Notes a daemon that has ended by itself. */
  look(who: Peer | Rendezvous): void {
    const { daemon } = who;
    if (daemon && !daemon.running) this.crashes.push(`${daemon.name} ended by itself (${daemon.child.exitCode ?? daemon.child.signalCode}): ${daemon.log.slice(-3).join(' | ')}`);
  }

  /** Shifts the clocks of one side by so many seconds. */
  setClock(who: Side | 'rendezvous', seconds: number): void {
    setClock(this.world.directory, who, seconds);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.world[Symbol.asyncDispose]();
    } finally {
      await this.#cleanup.disposeAsync();
    }
  }

  async #build({ through, small, clocks }: Setting): Promise<void> {
    const { world } = this;
    this.#cleanup.defer(() => removeClocks(world.directory));
    if (through === 'namespaces') for (const host of await twoHosts()) this.hosts.push(this.#cleanup.use(host));
    const [left, right] = this.hosts;
    const at = (host: Host | undefined, who: Side | 'rendezvous'): { prefix?: readonly string[] } => {
      const prefix = [...(host?.prefix ?? []), ...(clocks ? clockPrefix(world.directory, who) : [])];
      return prefix.length > 0 ? { prefix } : {};
    };
    if (through !== 'proxy') this.rendezvous = await world.rendezvous({ ...(left ? { listen: `${left.address}:12000` } : {}), ...at(left, 'rendezvous') });
    const make = (side: Side, host: Host | undefined): Peer => world.peer(side, { args: ['--accept', 'auto'], ...(host ? { listen: `${host.address}:0` } : {}), ...at(host, side) });
    const [alice, bob] = [make('alice', left), make('bob', right)];
    this.#peers = { alice, bob };
    if (small) await this.#mount(join(this.peer(small.side).directory, small.directory));
    await Promise.all([alice.start(), bob.start()]);
    if (through === 'proxy') return this.#meetBehindProxies(alice, bob);
    await Promise.all([alice.seesPeers((peers) => peers.some(({ id }) => id === bob.id)), bob.seesPeers((peers) => peers.some(({ id }) => id === alice.id))]);
  }

  async #meetBehindProxies(alice: Peer, bob: Peer): Promise<void> {
    for (const [one, other] of [[alice, bob], [bob, alice]] as const) {
      const proxy = this.#cleanup.use(await FaultProxy.start(() => listensAt(other)));
      this.proxies.push(proxy);
      await one.json('trust', `${other.id}@${proxy.address}`);
    }
    await alice.json('connect', bob.id);
  }

  async #mount(directory: string): Promise<void> {
    await mkdir(directory, { recursive: true });
    await mountTmpfs(directory, smallBytes);
    this.#cleanup.defer(() => unmount(directory));
    this.small = directory;
  }
}

/** As the daemon that runs now says. */
const listensAt = (peer: Peer): { host: string; port: number } => {
  const up = peer.daemon?.log.find((line) => line.includes('peerd is up'));
  const listen = up === undefined ? '' : (JSON.parse(up) as { listen: string }).listen;
  return { host: '127.0.0.1', port: Number(/:(\d+)$/.exec(listen)?.[1] ?? 1) };
};

export interface TransferSeen {
  readonly id: string;
  readonly direction: 'send' | 'receive';
  readonly state: string;
  readonly error?: { readonly code: string; readonly message: string };
}

export const transfersAt = async (peer: Peer): Promise<TransferSeen[]> => (await ask<{ transfers: TransferSeen[] }>(peer.socket, '/v1/transfers')).transfers;
