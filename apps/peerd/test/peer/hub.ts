/** Peers of one process on loopback, with a roster and introductions that need no rendezvous. Sockets and TLS are real. */
import { randomBytes } from 'node:crypto';
import { type Address, type LinkMessage, PeerdError, type PeerId, protocolVersions, type RosterEntry } from '@peerd/protocol';
import type { Identity } from '@peerd/service';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import type { Endpoint, LinksDeps } from '../../src/peer/deps.ts';
import { createLinks, type LinkLayer } from '../../src/peer/links.ts';
import type { DataConnection, Link, LinkUser } from '../../src/peer/ports.ts';
import { Arrivals, quiet } from '../support.ts';

export class TestPeer implements LinkUser {
  readonly identity: Identity;
  readonly registry: Registry = new Registry();
  readonly contacts: Set<PeerId> = new Set();
  readonly blocked: Set<PeerId> = new Set();
  readonly unfinished: Set<PeerId> = new Set();
  readonly known: Map<PeerId, Endpoint[]> = new Map();
  readonly reached: [PeerId, Endpoint | undefined][] = [];
  readonly events: string[] = [];
  readonly messages: Arrivals<LinkMessage> = new Arrivals();
  readonly data: Arrivals<{ transfer: string; connection: DataConnection }> = new Arrivals();
  expects: Set<string> = new Set();
  round: () => number = () => 1;
  onMessage: (link: Link, message: LinkMessage) => void | Promise<void> = (_link, message) => this.messages.push(message);
  links: LinkLayer;

  constructor(hub: Hub, identity: Identity, more: Partial<LinksDeps>) {
    this.identity = identity;
    this.links = createLinks({
      identity,
      hello: { versions: [...protocolVersions], nonce: randomBytes(16), name: identity.id.slice(0, 4), agent: 'test/1' },
      listen: { host: '127.0.0.1', port: 0 },
      policy: { isContact: (id) => this.contacts.has(id), isBlocked: (id) => this.blocked.has(id), hasUnfinishedTransfer: (id) => this.unfinished.has(id) },
      users: [this],
      addressBook: { knownAddresses: (id) => this.known.get(id) ?? [], reached: (id, address) => void this.reached.push([id, address]) },
      rendezvous: hub.seenBy(identity.id),
      logger: quiet,
      registry: this.registry,
      ...more,
    });
  }

  get id(): PeerId {
    return this.identity.id;
  }

  linkUp(link: Link): void {
    this.events.push(`up ${link.name}`);
  }

  linkDown(link: Link, reason: PeerdError): void {
    this.events.push(`down ${link.name} ${reason.code}`);
  }

  message(link: Link, message: LinkMessage): void | Promise<void> {
    return this.onMessage(link, message);
  }

  expectsData(_peer: PeerId, transfer: string): boolean {
    return this.expects.has(transfer);
  }

  dataRound(): number {
    return this.round();
  }

  dataOpened(_link: Link, transfer: string, connection: DataConnection): void {
    this.data.push({ transfer, connection });
  }

  async metric(line: string): Promise<boolean> {
    return (await this.registry.metrics()).includes(line);
  }

  /** Whether any series of this counter has counted something. */
  async counted(name: string): Promise<boolean> {
    return new RegExp(`^${name}(\\{[^}]*\\})? [1-9]`, 'm').test(await this.registry.metrics());
  }
}

export class Hub {
  readonly #listed = new Map<PeerId, { peer: TestPeer; addresses: Address[] }>();
  readonly #listeners = new Set<() => void>();
  introductions = 0;

  /** A started peer; `reachable: false` lists it without an address. */
  async peer(identity: Identity, options: { listed?: boolean; reachable?: boolean } & Partial<LinksDeps> = {}): Promise<TestPeer> {
    const { listed = true, reachable = true, ...deps } = options;
    const peer = new TestPeer(this, identity, deps);
    onTestFinished(() => peer.links.stop());
    await peer.links.start();
    if (listed) this.list(peer, reachable ? [peer.links.address] : []);
    return peer;
  }

  list(peer: TestPeer, addresses: readonly Endpoint[]): void {
    this.#listed.set(peer.id, { peer, addresses: addresses.map((address) => ({ ...address, kind: 'host' })) });
    for (const listener of this.#listeners) listener();
  }

  unlist(peer: TestPeer): void {
    this.#listed.delete(peer.id);
    for (const listener of this.#listeners) listener();
  }

  seenBy(own: PeerId): LinksDeps['rendezvous'] {
    const entry = (id: PeerId): RosterEntry | undefined => {
      const listed = this.#listed.get(id);
      return listed && { id, name: id.slice(0, 4), addresses: listed.addresses, epoch: 1 };
    };
    const get = (id: PeerId) => {
      const found = id === own ? undefined : entry(id);
      return found && { id, name: found.name, room: 'lobby', addresses: found.addresses, local: true };
    };
    return {
      roster: {
        get,
        all: () => [...this.#listed.keys()].flatMap((id) => get(id) ?? []),
        onChange: (listener) => {
          this.#listeners.add(listener);
          return () => this.#listeners.delete(listener);
        },
      },
      introduce: async (id) => {
        this.introductions += 1;
        const asked = this.#listed.get(id);
        const from = entry(own);
        if (!asked || !from) throw new PeerdError('no_such_peer', 'not listed');
        if ((await asked.peer.links.introduced(from, true)) === 'refused') throw new PeerdError('introduction_refused', 'refused');
        return entry(id) as RosterEntry;
      },
    };
  }

  get subscribers(): number {
    return this.#listeners.size;
  }
}
