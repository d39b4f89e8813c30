/** A control API on a real socket, with a real database behind it; links and roster are what a test says. */
import { mkdtemp, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PeerdError, type PeerId, type TransferSummary } from '@peerd/protocol';
import { createLogger } from '@peerd/service';
import { onTestFinished } from 'vitest';
import { loadChat } from '../../src/chat/chat.ts';
import { loadContacts } from '../../src/contacts/contacts.ts';
import { loadPolicies, type Policies } from '../../src/contacts/policies.ts';
import type { Contacts } from '../../src/contacts/ports.ts';
import { EventHub, type HubOptions } from '../../src/control/events/hub.ts';
import { contactsRoutes } from '../../src/control/routes/contacts.ts';
import { eventsRoutes, type EventsRoutes } from '../../src/control/routes/events.ts';
import { messagesRoutes } from '../../src/control/routes/messages.ts';
import { peersRoutes } from '../../src/control/routes/peers.ts';
import { closeControl, createControl, listenControl } from '../../src/control/server.ts';
import { openDatabase } from '../../src/database/database.ts';
import { loadIntroductionRequests } from '../../src/introductions/requests.ts';
import type { Link, Links } from '../../src/peer/ports.ts';
import type { RosterPeer } from '../../src/rendezvous/ports.ts';
import { quietPacing } from '../net/quiet-pacing.ts';
import { answered, call, type Response } from '../unix-http.ts';

export const self = { id: 'a'.repeat(52), name: 'alice' };
export const bob = { id: 'b'.repeat(52), name: 'bob' };
export const carol = { id: 'c'.repeat(52), name: 'carol' };

/** Links that come up when the test says so. */
class ManualLinks implements Links {
  readonly up = new Map<PeerId, Link>();
  /** Connects that wait. */
  readonly dialling = new Map<PeerId, { resolve: (link: Link) => void; signal: AbortSignal }>();

  get(peer: PeerId): Link | undefined {
    return this.up.get(peer);
  }
  all(): readonly Link[] {
    return [...this.up.values()];
  }
  connect(peer: PeerId, signal: AbortSignal): Promise<Link> {
    const { promise, resolve, reject } = Promise.withResolvers<Link>();
    this.dialling.set(peer, { resolve, signal });
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    return promise;
  }
  async disconnect(peer: PeerId): Promise<boolean> {
    return this.up.delete(peer);
  }
  need(): void {}
  release(): void {}

  /** @param port where it was dialled; 0: it was dialled from there */
  put(peer: { id: PeerId; name: string }, port = 7): Link {
    const link: Link = {
      peer: peer.id, name: peer.name, publicKey: Buffer.alloc(44), exportKeyingMaterial: () => Buffer.alloc(32), dialled: port !== 0, remote: { host: '192.0.2.1', port: port || 50_000 }, since: 5,
      signal: new AbortController().signal,
      send: async () => {},
      openData: () => Promise.reject(new PeerdError('link_lost', 'no data here')),
    };
    this.up.set(peer.id, link);
    return link;
  }
}

export interface ControlWorld {
  readonly socket: string;
  readonly links: ManualLinks;
  readonly roster: Map<PeerId, RosterPeer>;
  readonly contacts: Contacts;
  readonly policies: Policies;
  readonly hub: EventHub;
  /** Transfers that are not over. */
  readonly unfinished: TransferSummary[];
  readonly stopping: AbortController;
  call(method: string, path: string, body?: unknown): Promise<Response>;
  /** An open event stream. */
  events(lastEventId?: string): Promise<IncomingMessage>;
  close(): Promise<void>;
}

export const listed = (peer: { id: PeerId; name: string }, port = 1): RosterPeer => ({
  ...peer, room: 'lobby', local: true, addresses: [{ host: '127.0.0.1', port, kind: 'host' }],
});

export const controlWorld = async (options: { hub?: Partial<HubOptions>; events?: Partial<EventsRoutes> } = {}): Promise<ControlWorld> => {
  const directory = await mkdtemp(join(tmpdir(), 'peerd-control-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const database = await openDatabase({ stateDir: join(directory, 'state'), onLoss: () => {}, onFailure: () => {} });
  onTestFinished(() => database.close());
  const links = new ManualLinks();
  const roster = new Map<PeerId, RosterPeer>();
  const policies = await loadPolicies({ database, fallback: 'ask', now: () => 1_000 });
  const contacts = await loadContacts({
    database, self,
    isBlocked: (peer) => policies.isBlocked(peer),
    remembered: () => policies.peers(),
    present: () => [...links.all().map(({ peer, name }) => ({ id: peer, name })), ...roster.values()],
    onChange: () => {},
    onError: () => {},
    now: () => 1_000,
  });
  const logger = createLogger('test', 'silent');
  const hub = new EventHub({ firstId: 100, ...options.hub });
  const chat = await loadChat({ database, contacts, links: () => links, events: hub, logger, pacing: quietPacing() });
  const stopping = new AbortController();
  const unfinished: TransferSummary[] = [];
  const requests = await loadIntroductionRequests({ database, now: () => 1_000 });
  const known = { contacts, policies, links, roster: { all: () => [...roster.values()], get: (id: PeerId) => roster.get(id) } };
  const app = await createControl({
    version: '0.0.0',
    logger,
    routes: (app) => {
      void app.register(peersRoutes, { known, contacts, links, stopping: stopping.signal });
      void app.register(contactsRoutes, { known, contacts, self: self.id, links, policies, requests, chat, transfers: { unfinishedWith: () => unfinished }, onChange: () => {} });
      void app.register(messagesRoutes, { chat, contacts, stopping: stopping.signal });
      void app.register(eventsRoutes, { hub, logger, stopping: stopping.signal, ...options.events });
    },
  });
  const socket = join(directory, 'run', 'peerd.sock');
  await listenControl(app, { path: socket, mode: 0o600 });
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= closeControl(app));
  onTestFinished(() => {
    stopping.abort(new PeerdError('shutting_down', 'the test is over'));
    return close();
  });
  return {
    socket, links, roster, contacts, policies, hub, unfinished, stopping, close,
    call: (method, path, body) => call(socket, method, path, body),
    events: async (lastEventId) => {
      const sent = request({ socketPath: socket, path: '/v1/events', headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId } });
      sent.end();
      const response = await answered(sent);
      onTestFinished(() => void response.destroy());
      return response;
    },
  };
};
