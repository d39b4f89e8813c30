/** One run of peerd: its links, its transfers, its place on the roster. */
import { PeerdError, type PeerId, type TransferId } from '@peerd/protocol';
import type { Process } from '../world/machine.ts';
import { listen, type Network, type Wire } from '../world/network.ts';
import { awaitHello, welcome } from './greet.ts';
import { type Link, type LinkUser, Tokens } from './link.ts';
import { Pursuit } from './pursuit.ts';
import { RendezvousClient } from './rendezvous-client.ts';
import { Slot } from './slot.ts';
import { type Habits, Transfers } from './transfers.ts';
import { type Phone, Verifying } from './verifying.ts';

export interface PeerSettings {
  readonly network: Network;
  readonly habits: Habits;
  readonly phone: Phone;
  /** Leaves the rendezvous as long as a link lives. */
  readonly leaves: boolean;
}

interface Other {
  readonly slot: Slot;
  readonly pursuit: Pursuit;
  readonly verifying: Verifying;
}

export class Peer {
  readonly process: Process;
  readonly transfers: Transfers;
  readonly rendezvous: RendezvousClient;
  readonly others = new Map<PeerId, Other>();
  readonly #settings: PeerSettings;
  readonly #tokens: Tokens;

  constructor(process: Process, settings: PeerSettings) {
    this.process = process;
    this.#settings = settings;
    this.#tokens = new Tokens(process);
    this.transfers = new Transfers(process, settings.habits, () => this.#wakeAll());
    this.rendezvous = new RendezvousClient(process, settings.network, {
      rosterChanged: () => this.#wakeAll(),
      introduced: (from) => {
        this.#other(from).pursuit.expect();
        return 'accepted';
      },
    });
    listen(process, (wire) => awaitHello(process, wire, (greeted, hello) => this.#inbound(greeted, hello)));
    this.transfers.start();
    this.rendezvous.dispatch({ kind: 'start' });
    for (const row of process.machine.disk.rows.values()) this.#other(row.peer).pursuit.wake();
  }

  send(id: TransferId, peer: PeerId, chunks: number): void {
    this.#other(peer);
    this.transfers.send(id, peer, chunks);
  }

  connect(peer: PeerId): void {
    this.#other(peer).pursuit.want();
  }

  disconnect(peer: PeerId): void {
    this.others.get(peer)?.slot.dispatch({ kind: 'end', reason: new PeerdError('disconnected', 'on purpose') });
  }

  verify(peer: PeerId): void {
    this.others.get(peer)?.verifying.begin();
  }

  dialAgain(peer: PeerId, count: number): void {
    this.others.get(peer)?.pursuit.dialAgain(count);
  }

  #other(peer: PeerId): Other {
    const known = this.others.get(peer);
    if (known) return known;
    const { process } = this;
    const { network, phone } = this.#settings;
    const verifying = new Verifying(process, phone);
    const user: LinkUser = {
      message: (link, message, done) => {
        if (message.kind !== 'verify') return this.transfers.message(link, message, done);
        verifying.step({ kind: 'message', message: message.message });
        return done(undefined);
      },
      expectsData: (from, transfer) => this.transfers.expectsData(from, transfer),
      dataOpened: (link, transfer, wire, side) => this.transfers.dataOpened(link, transfer, wire, side),
    };
    const slot: Slot = new Slot(peer, {
      process, network, tokens: this.#tokens, user,
      up: (link) => this.#up(link, other),
      down: (link) => {
        verifying.unlinked();
        this.transfers.linkDown(link);
        this.#stayOrLeave();
        pursuit.wake();
      },
      changed: () => pursuit.wake(),
    });
    const pursuit: Pursuit = new Pursuit(peer, { process, network, slot, rendezvous: this.rendezvous, needed: () => this.transfers.needs(peer) });
    const other: Other = { slot, pursuit, verifying };
    this.others.set(peer, other);
    return other;
  }

  #up(link: Link, { pursuit, verifying }: Other): void {
    pursuit.linkUp();
    // In the order of the users: addresses, comparisons, transfers.
    if (link.side === 0) this.process.machine.disk.known.add(link.peer);
    verifying.linked(link);
    this.transfers.linkUp(link);
    this.#stayOrLeave();
  }

  #stayOrLeave(): void {
    if (!this.#settings.leaves) return;
    const linked = [...this.others.values()].some(({ slot }) => slot.link !== undefined);
    this.rendezvous.dispatch({ kind: linked ? 'leave' : 'come' });
  }

  #inbound(wire: Wire, hello: { role: string; id: PeerId; nonce: string; token?: number }): ReturnType<Slot['adopt']> | undefined {
    const { process } = this;
    const { disk } = process.machine;
    if (hello.role === 'data') {
      welcome(process, wire);
      const endpoint = hello.token === undefined ? undefined : this.#tokens.redeem(hello.token, hello.id, wire);
      if (!endpoint) wire.close(1);
      return endpoint;
    }
    const { pursuit, slot } = this.#other(hello.id);
    const isWelcome = disk.contacts.has(hello.id) || pursuit.isIntroduced || this.transfers.hasUnfinished(hello.id) || pursuit.isWanted || slot.link !== undefined;
    if (!isWelcome) {
      wire.send(1, { kind: 'close', code: 'not_introduced' });
      wire.close(1);
      return undefined;
    }
    welcome(process, wire);
    return slot.adopt(wire, 1, hello.nonce);
  }

  #wakeAll(): void {
    for (const { pursuit } of this.others.values()) pursuit.wake();
  }
}
