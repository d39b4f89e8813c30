/**
 * Two peers with everything real but the network between them: links and data connections carry encoded frames through
 * memory, in order, until the test cuts them.
 */
import { getEventListeners, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ControlEvent, dataBounds, type Frame, FrameDecoder, isFinalState, type LinkMessage, linkMessages, PeerdError, type PeerId, type TransferId, type TransferState,
} from '@peerd/protocol';
import { createLogger, type Identity, loadIdentity } from '@peerd/service';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { loadContacts } from '../../src/contacts/contacts.ts';
import { loadPolicies, type Policies } from '../../src/contacts/policies.ts';
import type { Contacts } from '../../src/contacts/ports.ts';
import { openDatabase } from '../../src/database/database.ts';
import type { Database } from '../../src/database/ports.ts';
import type { DataConnection, Link } from '../../src/peer/ports.ts';
import { openReceiptLog } from '../../src/receipts/log.ts';
import type { ReceiptLog } from '../../src/receipts/ports.ts';
import { Spool } from '../../src/spool/spool.ts';
import { createTransferMetrics } from '../../src/transfer/metrics.ts';
import type { TransferSettings } from '../../src/transfer/ports.ts';
import { createTransfers, type TransferService } from '../../src/transfer/transfers.ts';
import { quietPacing } from '../net/quiet-pacing.ts';

/** Small, so that small files have many chunks. */
export const chunkSize = 65_536;

type PeerSettings = TransferSettings & { readonly accept: 'ask' | 'auto' };

export class Peer {
  readonly name: string;
  readonly directory: string;
  readonly identity: Identity;
  readonly registry = new Registry();
  readonly events: ControlEvent[] = [];
  readonly needed = new Set<string>();
  /** Links that are up. */
  readonly linked = new Map<PeerId, Link>();
  /** Who is there, for names that are no contacts. */
  present: { id: PeerId; name: string }[] = [];
  settings: PeerSettings;
  database!: Database;
  contacts!: Contacts;
  policies!: Policies;
  receipts!: ReceiptLog;
  spool!: Spool;
  service!: TransferService;
  now: () => number = Date.now;
  readonly #news = new EventTarget();

  constructor(name: string, directory: string, identity: Identity, settings: Partial<PeerSettings>) {
    this.name = name;
    this.directory = directory;
    this.identity = identity;
    this.settings = { stateDir: join(directory, 'state'), downloadDir: join(directory, 'downloads'), accept: 'ask', durability: 'none', chunkSize, ...settings };
  }

  get id(): PeerId {
    return this.identity.id;
  }

  async start(): Promise<void> {
    const logger = createLogger(this.name, process.env['TEST_LOG'] ?? 'silent');
    this.database = await openDatabase({ stateDir: this.settings.stateDir, onLoss: () => {}, onFailure: () => {} });
    this.policies = await loadPolicies({ database: this.database, fallback: this.settings.accept, now: () => this.now() });
    this.contacts = await loadContacts({
      isBlocked: (peer) => this.policies.isBlocked(peer),
      remembered: () => [],
      database: this.database, self: { id: this.id, name: this.name }, present: () => this.present, onChange: () => {}, onError: () => {}, now: Date.now,
    });
    this.receipts = await openReceiptLog({ stateDir: this.settings.stateDir, database: this.database, self: this.id, logger });
    this.spool = await Spool.open({ stateDir: this.settings.stateDir, limit: 64 * 1024 * 1024, reserve: 0, logger, now: Date.now });
    this.registry.clear();
    this.service = await createTransfers({
      database: this.database, contacts: this.contacts, policies: this.policies, identity: this.identity, receipts: this.receipts, spool: this.spool, logger, settings: this.settings, now: () => this.now(),
      links: () => ({
        need: (peer, owner) => void this.needed.add(`${owner} ${peer}`),
        release: (peer, owner) => void this.needed.delete(`${owner} ${peer}`),
        get: (peer) => this.linked.get(peer),
        connect: () => Promise.reject(new PeerdError('peer_unreachable', 'links are made by the test')),
      }),
      isOnline: () => false,
      events: { publish: (event) => this.#publish(event) },
      pacing: quietPacing(),
      metrics: createTransferMetrics(this.registry, (direction) => this.service.unfinished(direction)),
    });
    await this.service.start();
  }

  /** As if the process was killed: nobody tells the service, and nothing that it still wants to store is stored. */
  async kill(): Promise<void> {
    await this.spool.close();
    await this.receipts.close();
    await this.database.close();
  }

  async stop(): Promise<void> {
    await this.service.stop();
    await this.spool.close();
    await this.receipts.close();
    await this.database.close();
  }

  /** Resolves with the first event, past or future, that fits. */
  async event<E extends ControlEvent>(fits: (event: ControlEvent) => event is E): Promise<E>;
  async event(fits: (event: ControlEvent) => boolean): Promise<ControlEvent>;
  async event(fits: (event: ControlEvent) => boolean): Promise<ControlEvent> {
    for (;;) {
      const found = this.events.find(fits);
      if (found) return found;
      await once(this.#news, 'event');
    }
  }

  /** Resolves when the transfer is in that state. @throws when it ends otherwise */
  async reaches(id: TransferId, state: TransferState): Promise<void> {
    for (;;) {
      const news = once(this.#news, 'event');
      const transfer = (await this.service.list()).find((candidate) => candidate.id === id);
      if (transfer?.state === state) return;
      if (transfer && isFinalState(transfer.state)) throw new Error(`${this.name}: ${id} is ${transfer.state}: ${JSON.stringify(transfer.error)}`);
      await news;
    }
  }

  /** The states of a transfer that were published, without repetitions. */
  states(id: TransferId): string[] {
    const states = this.events.filter((event) => event.kind === 'transfer').map((event) => event.transfer).filter((transfer) => transfer.id === id).map(({ state }) => state);
    return states.filter((state, index) => state !== states[index - 1]);
  }

  #publish(event: ControlEvent): void {
    this.events.push(event);
    this.#news.dispatchEvent(new Event('event'));
  }
}

export interface WorldOptions {
  readonly alice?: Partial<PeerSettings>;
  readonly bob?: Partial<PeerSettings>;
}

export interface World {
  readonly directory: string;
  readonly alice: Peer;
  readonly bob: Peer;
  /** Makes a link; an earlier one is cut. */
  link(): Wire;
}

export const createWorld = async (options: WorldOptions = {}): Promise<World> => {
  const directory = await mkdtemp(join(tmpdir(), 'peerd-transfer-'));
  const make = async (name: string, settings: Partial<PeerSettings>): Promise<Peer> =>
    new Peer(name, join(directory, name), await loadIdentity(join(directory, name, 'state')), settings);
  const alice = await make('alice', options.alice ?? {});
  const bob = await make('bob', options.bob ?? {});
  alice.present = [{ id: bob.id, name: 'bob' }];
  bob.present = [{ id: alice.id, name: 'alice' }];
  await alice.start();
  await bob.start();
  let wire: Wire | undefined;
  onTestFinished(async () => {
    wire?.cut();
    await Promise.all([alice.stop(), bob.stop()]);
    await rm(directory, { recursive: true, force: true });
  });
  return {
    directory, alice, bob,
    link: () => {
      wire?.cut();
      wire = new Wire(alice, bob);
      wire.up();
      return wire;
    },
  };
};

/** What is between two peers. */
export class Wire {
  readonly #ended = new AbortController();
  readonly #sides: readonly Peer[];
  /** By the side that uses it. */
  readonly #links = new Map<Peer, Link>();
  readonly #data = new Set<DataPipe>();
  /** Messages by kind and receiver, in order. */
  readonly seen: string[] = [];
  /** Content frames that a test wants to hold back or to be asked about. */
  onFrame: (frame: Frame, count: number) => void | Promise<void> = () => {};
  /** Changes or drops a message on its way. */
  onMessage: (to: Peer, message: LinkMessage) => LinkMessage | undefined = (_to, message) => message;
  dataConnections = 0;
  /** Data connections that were open at the same time. */
  mostData = 0;
  #frames = 0;

  constructor(one: Peer, other: Peer) {
    this.#sides = [one, other];
    for (const self of this.#sides) this.#links.set(self, this.#makeLink(self));
  }

  /** Who still waits for the end of the link. */
  get listeners(): number {
    return getEventListeners(this.#ended.signal, 'abort').length;
  }

  up(): void {
    for (const self of this.#sides) {
      self.linked.set(this.link(self).peer, this.link(self));
      self.service.linkUp(this.link(self));
    }
  }

  cut(): void {
    if (this.#ended.signal.aborted) return;
    const reason = new PeerdError('link_lost', 'cut');
    this.#ended.abort(reason);
    this.cutData();
    for (const self of this.#sides) {
      self.linked.delete(this.link(self).peer);
      self.service.linkDown(this.link(self), reason);
    }
  }

  /** Only the data connections are lost. */
  cutData(): void {
    for (const pipe of this.#data) pipe.destroy(new PeerdError('link_lost', 'cut'));
  }

  link(self: Peer): Link {
    const link = this.#links.get(self);
    if (!link) throw new Error('no such side');
    return link;
  }

  #other(self: Peer): Peer {
    const other = this.#sides.find((side) => side !== self);
    if (!other) throw new Error('no other side');
    return other;
  }

  #makeLink(self: Peer): Link {
    const other = this.#other(self);
    const decoder = new FrameDecoder(linkMessages.bounds);
    let reading = Promise.resolve();
    let waiting = 0;
    const read = async (bytes: Buffer): Promise<void> => {
      for (const frame of decoder.push(bytes)) {
        const message = linkMessages.read(frame);
        const passed = message && !this.#ended.signal.aborted ? this.onMessage(other, message) : undefined;
        if (!passed) continue;
        this.seen.push(`${other.name} ${passed.kind}`);
        await other.service.message(this.link(other), passed);
      }
    };
    return {
      peer: other.id, name: other.name, publicKey: other.identity.publicKey, exportKeyingMaterial: () => Buffer.alloc(32), dialled: self === this.#sides[0], remote: { host: '127.0.0.1', port: 1 }, since: 0,
      signal: this.#ended.signal,
      send: async (bytes) => {
        this.#ended.signal.throwIfAborted();
        waiting += 1;
        reading = reading
          .then(() => read(bytes))
          .catch((error: unknown) => {
            if (!this.#ended.signal.aborted) this.#ended.abort(error);
          })
          .finally(() => (waiting -= 1));
        if (waiting > 32) await reading;
      },
      openData: async (transfer, signal) => {
        this.#ended.signal.throwIfAborted();
        signal.throwIfAborted();
        if (!other.service.expectsData?.(self.id, transfer)) throw new PeerdError('token_invalid', 'the receiver expects no data');
        const pipe = new DataPipe((frame) => this.onFrame(frame, (this.#frames += 1)));
        this.#data.add(pipe);
        this.dataConnections += 1;
        this.mostData = Math.max(this.mostData, this.#data.size);
        const gone = (): void => void this.#data.delete(pipe);
        pipe.closed.then(gone, gone);
        other.service.dataOpened?.(this.link(other), transfer, pipe.receiver);
        return pipe.sender;
      },
    };
  }
}

/** A data connection: what was written and not read is bounded, and lost when it is destroyed. */
class DataPipe {
  readonly sender: DataConnection;
  readonly receiver: DataConnection;
  readonly #ended = new AbortController();
  readonly #closed = Promise.withResolvers<void>();
  readonly closed: Promise<void> = this.#closed.promise;
  readonly #frames: Frame[] = [];
  readonly #changes = new EventTarget();
  #finished = false;

  constructor(onFrame: (frame: Frame) => void | Promise<void>) {
    const decoder = new FrameDecoder(dataBounds);
    const { signal } = this.#ended;
    const destroy = (reason: PeerdError): void => this.destroy(reason);
    const ended = once(signal, 'abort');
    const wait = async (): Promise<void> => {
      signal.throwIfAborted();
      await Promise.race([once(this.#changes, 'change'), ended]);
    };
    this.sender = {
      signal, destroy,
      write: async (buffers) => {
        signal.throwIfAborted();
        // A copy, as a socket makes one.
        for (const frame of decoder.push(Buffer.concat(buffers))) this.#frames.push(frame);
        this.#changed();
        while (this.#frames.length > 4) await wait();
        signal.throwIfAborted();
      },
      frames: async function* none() {},
      end: async () => {
        signal.throwIfAborted();
        this.#finished = true;
        this.#changed();
        await this.#closed.promise;
      },
    };
    const frames = async function* frames(this: DataPipe): AsyncGenerator<Frame> {
      for (;;) {
        signal.throwIfAborted();
        const frame = this.#frames.shift();
        if (frame) {
          await Promise.race([onFrame(frame), ended]);
          signal.throwIfAborted();
          this.#changed();
          yield frame;
        } else if (this.#finished) {
          this.#closed.resolve();
          return;
        } else {
          await wait();
        }
      }
    };
    this.receiver = { signal, destroy, write: () => Promise.reject(new Error('this side reads')), frames: () => frames.call(this), end: () => this.#closed.promise };
  }

  destroy(reason: PeerdError): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort(reason);
    this.#closed.resolve();
  }

  #changed(): void {
    this.#changes.dispatchEvent(new Event('change'));
  }
}
