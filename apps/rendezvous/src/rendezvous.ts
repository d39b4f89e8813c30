/** The composition root: builds the objects of one rendezvous and wires them. */
import { randomBytes } from 'node:crypto';
import { formatAddress, leaseMs, nonceBytes, PeerdError, type PeerId, protocolVersions, rendezvousAlpn } from '@peerd/protocol';
import { bindHttp, createHttp, type Daemon, defaultStateDir, listen, type Listener, type ListenOptions, loadIdentity, type Logger, parseHostPort, PeerBudgets, probe, readRoomSecret } from '@peerd/service';
import { peerView, type PeerView } from './admin/peers.ts';
import { addAdminRoutes, type AdminParts } from './admin/routes.ts';
import { loadAdminToken } from './admin/token.ts';
import type { ClientId } from './client-id.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Client } from './connection/client.ts';
import { RosterDesk } from './connection/roster-desk.ts';
import { runSession } from './connection/session.ts';
import { IntroductionDesk } from './introduction/introduction-desk.ts';
import { Introductions } from './introduction/introductions.ts';
import { adminGraceMs, frameRate, introductionLimits, maxPending, outboxLimits, removedRetryMs, retiringRetryMs } from './limits.ts';
import { createMetrics } from './metrics.ts';
import { type Registration, Registry } from './registry/registry.ts';
import { defaultAdmin, defaultListenPort, type RendezvousSettings } from './settings.ts';
import { version } from './version.ts';

export type { RendezvousSettings } from './settings.ts';

export interface RendezvousServer extends Daemon {
  readonly id: PeerId;
  /** Where peers connect, as bound. */
  readonly address: { readonly host: string; readonly port: number };
  /** HOST:PORT of the admin endpoint, as bound. */
  readonly admin: string;
  /** Tells every client to come back later, and ends. */
  stop(): Promise<void>;
}

export interface RendezvousSurroundings {
  readonly logger: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
}

/** @throws PeerdError `address_in_use`, `invalid_settings` */
export const createRendezvousServer = async (settings: RendezvousSettings, surroundings: RendezvousSurroundings): Promise<RendezvousServer> => {
  const { logger, env } = surroundings;
  const clock = surroundings.clock ?? systemClock;
  const stateDir = settings.stateDir ?? defaultStateDir('rendezvous', env);
  const identity = await loadIdentity(stateDir);
  const token = await loadAdminToken(stateDir);
  const roomSecret = settings.roomSecretFile === undefined ? undefined : await readRoomSecret(settings.roomSecretFile);

  const metrics = createMetrics({ version, maxPeers: settings.maxPeers });
  const registry = new Registry({ maxPeers: settings.maxPeers, leaseMs });
  const clients = new Map<ClientId, Client>();
  const open = new Introductions(introductionLimits);
  const introductions = new IntroductionDesk({ introductions: open, directory: registry, clock, metrics, send: (to, frame) => clients.get(to)?.outbox.send(frame) });
  const roster = new RosterDesk({ registry, clients, clock, metrics, roomSecret, onDeparture: (client) => introductions.left(client) });
  metrics.observe({
    connections: () => clients.size,
    peers: () => registry.peers,
    rooms: () => registry.rooms,
    openIntroductions: () => open.open,
    queuedBytes: () => clients.values().reduce((sum, client) => sum + client.outbox.bytes, 0),
  });

  const stopping = new AbortController();
  const sessions = new Set<Promise<void>>();
  let lastClient = 0;
  const session = {
    registry, roster, introductions, clients, clock, metrics, logger,
    budgets: new PeerBudgets(frameRate),
    limits: outboxLimits,
    hello: { versions: [...protocolVersions], role: 'register' as const, nonce: randomBytes(nonceBytes), name: 'rendezvous', agent: `rendezvous/${version}` },
    nextId: () => (lastClient += 1),
    signal: stopping.signal,
  };
  const listener = await listenForPeers(identity, settings, logger, {
    maxPending: { perAddress: settings.maxPendingPerAddress, total: Math.max(maxPending, settings.maxPendingPerAddress) },
    onChannel: (channel, settled) => {
      const running = runSession(channel, settled, session).catch((error: unknown) => logger.error({ err: error }, 'a connection met a defect'));
      sessions.add(running);
      void running.finally(() => sessions.delete(running));
    },
    onRefused: (reason, host) => {
      metrics.connectionsRefused.inc({ reason: reason.code });
      logger.debug({ from: host, reason: reason.code }, 'connection refused');
    },
  });

  const view = (registration: Registration): PeerView => {
    const client = clients.get(registration.client);
    const heardAgoMs = clock.monotonic() - (registry.heardAt(registration.client) ?? clock.monotonic());
    return peerView(registration, { agent: client?.agent ?? '', observedHost: client?.observedHost ?? '', queuedBytes: client?.outbox.bytes ?? 0, heardAgoMs });
  };
  const app = createHttp({ title: 'rendezvous admin API', version, registry: metrics.registry, notReady: () => (stopping.signal.aborted ? 'stopping' : undefined), allowedHosts: settings.allowHost });
  const adminParts: AdminParts = {
    token,
    maxPeers: settings.maxPeers,
    peers: (room) => [...registry.all()].filter((registration) => room === undefined || registration.room === room).map(view),
    remove: (id) => {
      const registration = registry.find(id);
      const client = registration && clients.get(registration.client);
      if (!client) return undefined;
      const removed = view(registration);
      roster.leave(client, 'removed');
      void client.close(new PeerdError('removed', 'an administrator removed this registration'), removedRetryMs);
      logger.info({ peer: removed.id, name: removed.name }, 'removed by an administrator');
      return removed;
    },
  };
  void app.register(async (scope) => addAdminRoutes(scope, adminParts));
  let admin: string;
  try {
    admin = await bindHttp(app, settings.admin ?? defaultAdmin, settings.admin !== undefined);
  } catch (error) {
    listener.close();
    throw error;
  }
  if (settings.admin === undefined && !admin.endsWith(`:${defaultAdmin.port}`)) logger.warn({ wanted: formatAddress(defaultAdmin), admin }, 'the default admin port is in use; took a free one');
  logger.info({ listen: formatAddress(listener.address), admin, id: identity.id, version, maxPeers: settings.maxPeers, needsSecret: roomSecret !== undefined }, 'rendezvous is up');

  return {
    id: identity.id,
    address: listener.address,
    admin,
    logger,
    status: () => `${registry.peers} peers in ${registry.rooms} rooms; peers connect to ${formatAddress(listener.address)}`,
    health: (signal) => probe(parseHostPort(admin) ?? defaultAdmin, '/healthz', signal),
    stop: async () => {
      logger.info({ clients: clients.size }, 'stopping');
      // Nobody is told that the others leave: all of them come back.
      roster.stop();
      introductions.stop();
      listener.close();
      const reason = new PeerdError('retiring', 'this rendezvous is stopping; come back later');
      for (const client of clients.values()) void client.close(reason, retiringRetryMs());
      stopping.abort(reason);
      await Promise.all(sessions);
      app.server.closeIdleConnections();
      const cancel = systemClock.schedule(adminGraceMs, () => app.server.closeAllConnections());
      await app.close();
      cancel();
      logger.info('stopped');
    },
  };
};

/** Without --listen: all addresses of both families, or of IPv4 where the machine has no IPv6; a port in use gives way. */
const listenForPeers = async (
  identity: Parameters<typeof listen>[0],
  settings: RendezvousSettings,
  logger: Logger,
  more: Pick<ListenOptions, 'maxPending' | 'onChannel' | 'onRefused'>,
): Promise<Listener> => {
  const bind = (host: string, port: number): Promise<Listener> => listen(identity, { host, port, protocols: [rendezvousAlpn], ...more });
  if (settings.listen) return bind(settings.listen.host, settings.listen.port);
  const either = (port: number): Promise<Listener> =>
    bind('::', port).catch((error: unknown) => {
      if (error instanceof PeerdError && error.code === 'address_in_use') throw error;
      return bind('0.0.0.0', port);
    });
  try {
    return await either(defaultListenPort);
  } catch (error) {
    if (!(error instanceof PeerdError) || error.code !== 'address_in_use') throw error;
    logger.warn({ wanted: defaultListenPort }, 'the default port is in use; taking a free one');
    return either(0);
  }
};
