/**
 * The composition root of peerd: the only place where its parts meet.
 *
 * What is started is stopped in reverse order: requests of people first, then the registration at the rendezvous, then
 * the links, and at last the database, in which everything leaves its state.
 */
import { randomBytes } from 'node:crypto';
import { formatAddress, nonceBytes, PeerdError, type PeerId, protocolVersions, shortPeerId } from '@peerd/protocol';
import { bindHttp, createHttp, type Daemon, defaultStateDir, inheritedSockets, loadIdentity, type Logger, probe, readRoomSecret } from '@peerd/service';
import { loadChat } from './chat/chat.ts';
import { loadContacts } from './contacts/contacts.ts';
import { loadPolicies } from './contacts/policies.ts';
import { EventHub } from './control/events/hub.ts';
import type { KnownPeers } from './control/peers-view.ts';
import { contactsRoutes } from './control/routes/contacts.ts';
import { daemonRoutes } from './control/routes/daemon.ts';
import { doctorRoutes } from './control/routes/doctor.ts';
import { eventsRoutes } from './control/routes/events.ts';
import { historyRoutes } from './control/routes/history.ts';
import { inboxRoutes } from './control/routes/inbox.ts';
import { messagesRoutes } from './control/routes/messages.ts';
import { peersRoutes } from './control/routes/peers.ts';
import { policyRoutes } from './control/routes/policy.ts';
import { receiptsRoutes } from './control/routes/receipts.ts';
import { spoolRoutes } from './control/routes/spool.ts';
import { transfersRoutes } from './control/routes/transfers.ts';
import { verifyRoutes } from './control/routes/verify.ts';
import { closeControl, createControl, listenControl } from './control/server.ts';
import { controlSocket } from './control/socket-path.ts';
import { coalesce } from './daemon/coalesce.ts';
import { watchLinks } from './daemon/link-watch.ts';
import { bindDefaulted } from './daemon/listen.ts';
import { reachSelf } from './daemon/reach-self.ts';
import { loadPins } from './daemon/rendezvous-pins.ts';
import { statusOf } from './daemon/status.ts';
import { examine } from './doctor/doctor.ts';
import { openDatabase } from './database/database.ts';
import { IntroductionDesk } from './introductions/desk.ts';
import { loadIntroductionRequests } from './introductions/requests.ts';
import { createNotifications } from './hooks/notifications.ts';
import { createOnReceived } from './hooks/on-received.ts';
import { createMetrics } from './metrics.ts';
import { Pacing } from './net/pacing.ts';
import { createLinks, type LinkLayer } from './peer/links.ts';
import type { LinkUser } from './peer/ports.ts';
import { openReceiptLog } from './receipts/log.ts';
import { localAddresses } from './rendezvous/local-addresses.ts';
import type { Rendezvous } from './rendezvous/ports.ts';
import { createRendezvous } from './rendezvous/rendezvous.ts';
import { defaultDownloadDir, defaultListenPort, defaultMetrics, type PeerdSettings } from './settings.ts';
import { Spool } from './spool/spool.ts';
import { createTransferMetrics } from './transfer/metrics.ts';
import { createTransfers, type TransferService } from './transfer/transfers.ts';
import { Verifications } from './verification/verifications.ts';
import { version } from './version.ts';

export interface PeerDaemon extends Daemon {
  readonly id: PeerId;
  /** Path of the control socket. */
  readonly control: string;
  /** Where peers connect, as bound. */
  readonly listen: { readonly host: string; readonly port: number };
  /** HOST:PORT as bound. */
  readonly metrics: string;
}

export interface DaemonSurroundings {
  readonly logger: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The settings as they would be read now. @throws PeerdError `invalid_settings` */
  readonly reread?: () => PeerdSettings;
  /** The daemon cannot go on: its database is gone. */
  readonly onFatal: (reason: PeerdError) => void;
}

/** Changes of peers that come closer together than this are one event. */
const peersEventMs = 50;

/** @throws PeerdError; nothing is left running then */
export const createDaemon = async (settings: PeerdSettings, { logger, env, onFatal, reread = () => settings }: DaemonSurroundings): Promise<PeerDaemon> => {
  await using starting = new AsyncDisposableStack();
  const stateDir = settings.stateDir ?? defaultStateDir('peerd', env);
  const downloadDir = settings.downloadDir ?? defaultDownloadDir(env);
  const socket = controlSocket(settings.control, env, process.getuid?.() ?? 0);
  const inherited = inheritedSockets(env, process.pid).get('control');
  if (inherited !== undefined && settings.control !== undefined)
    throw new PeerdError('invalid_settings', `--control: systemd has opened a control socket already, and ${settings.control} would be another`, {
      hint: 'Leave out --control, or stop and disable peerd.socket.',
    });
  const roomSecret = settings.roomSecretFile === undefined ? undefined : await readRoomSecret(settings.roomSecretFile);
  const now = (): number => Date.now();
  const metrics = createMetrics(version);

  const database = await openDatabase({
    stateDir,
    onLoss: ({ path, restored }) =>
      logger.error(
        { path, restored },
        `THE DATABASE WAS ${path === undefined ? 'GONE' : 'DAMAGED, and was set aside'}. A new one was made: ${restored === 0 ? 'contacts, ' : 'contacts, policies and pinned rendezvous were kept apart and are back;'} messages and transfers are lost. \`peerctl doctor\` says more`,
      ),
    onTrustNotKept: (message) => logger.warn({ reason: message }, 'contacts and policies could not be written beside the database: they would be lost with it'),
    onFailure: onFatal,
    onCommit: metrics.commit,
  });
  starting.defer(() => database.close());
  const identity = await loadIdentity(stateDir);
  const self = { id: identity.id, name: settings.name };

  const hub = new EventHub({ firstId: now() * 1_000 });
  hub.listen(metrics.event);
  const peersChanged = coalesce(() => hub.publish({ kind: 'peers' }), peersEventMs);
  starting.defer(() => peersChanged.cancel());

  const policies = await loadPolicies({ database, fallback: settings.accept, now });
  const requests = await loadIntroductionRequests({ database, now });
  const contacts = await loadContacts({
    database, self, now,
    isBlocked: (peer) => policies.isBlocked(peer),
    remembered: () => [...policies.peers(), ...requests.waiting().map(({ peer, name }) => ({ id: peer, name }))],
    present: () => [...links.all().map(({ peer, name }) => ({ id: peer, name })), ...rendezvous.roster.all()],
    onChange: (contact, added) => {
      peersChanged.call();
      if (added) requests.forget(contact.id).catch((error: unknown) => logger.error({ err: error }, 'an introduction of a new contact is still there'));
      if (added) chat.adopt(contact.id).catch((error: unknown) => logger.error({ err: error }, 'messages of a new contact are still kept apart'));
    },
    onError: (error) => logger.error({ err: error }, 'a contact could not be stored'),
  });
  const pacing = new Pacing({ registry: metrics.registry, logger, now: () => performance.now() });
  const chat = await loadChat({ database, contacts, links: () => links, events: hub, logger, pacing, onRefused: metrics.messageRefused });
  const receipts = await openReceiptLog({ stateDir, database, self: identity.id, logger });
  starting.defer(() => receipts.close());
  const spool = await Spool.open({ stateDir, limit: settings.spoolQuota, logger, now });
  starting.defer(() => spool.close());
  const onReceived = createOnReceived({
    words: settings.onReceived,
    timeoutMs: settings.onReceivedTimeout * 1_000,
    control: socket.path,
    nameOf: (peer) => contacts.get(peer)?.name,
    env, logger,
    registry: metrics.registry,
  });
  starting.defer(() => onReceived.stop());
  const notifications = settings.notifications === 'auto' ? createNotifications({ env, logger, now: () => performance.now() }) : undefined;
  if (notifications) hub.listen((event) => notifications.event(event));
  starting.defer(() => notifications?.stop());
  const transfers: TransferService = await createTransfers({
    onReceived: (record) => onReceived.run(record),
    database, contacts, policies, identity, receipts, spool, logger, now,
    links: () => links,
    isOnline: (peer) => rendezvous.roster.get(peer) !== undefined,
    events: hub,
    pacing,
    metrics: createTransferMetrics(metrics.registry, (direction, state) => transfers.unfinished(direction, state)),
    settings: { stateDir, downloadDir, durability: settings.durability, ...(settings.limitRate === undefined ? {} : { limitRate: settings.limitRate }) },
  });
  starting.defer(() => transfers.stop());

  const introductions = new IntroductionDesk({ policy: settings.introductions, requests, contacts, links: () => links, events: hub, logger });
  const verifications = new Verifications({ self: identity.id, contacts, events: hub, logger, pacing, now });
  const hello = { versions: [...protocolVersions], nonce: randomBytes(nonceBytes), name: settings.name, agent: `peerd/${version}` };
  const users: LinkUser[] = [watchLinks({ contacts, events: hub, logger, onChange: peersChanged.call }), chat, transfers, verifications];
  const links: LinkLayer = createLinks({
    identity, hello, users, logger,
    listen: settings.listen ?? { host: '::', port: defaultListenPort },
    policy: { isContact: (peer) => contacts.get(peer) !== undefined, isBlocked: (peer) => policies.isBlocked(peer), hasUnfinishedTransfer: (peer) => transfers.hasUnfinishedTransfer(peer) },
    addressBook: { knownAddresses: (peer) => contacts.get(peer)?.addresses ?? [], reached: (peer, address) => contacts.reached(peer, address) },
    rendezvous: {
      get roster() {
        return rendezvous.roster;
      },
      introduce: (peer, signal) => rendezvous.introduce(peer, signal),
    },
    admitIntroduction: (from) => introductions.admit(from),
    registry: metrics.registry,
  });
  const rendezvous: Rendezvous = createRendezvous({
    identity, hello, logger,
    settings: settings.rendezvous,
    room: settings.room,
    ...(roomSecret ? { roomSecret } : {}),
    afterConnect: settings.afterConnect,
    links: { count: () => links.all().length, onChange: (listener) => links.onChange(listener) },
    addresses: (local) => localAddresses(links.address, local),
    pins: await loadPins(database, now),
    onIntroduction: links.introduced,
    onStatus: ({ address, state }) => hub.publish({ kind: 'rendezvous', address, state }),
    registry: metrics.registry,
  });
  starting.defer(rendezvous.roster.onChange(() => peersChanged.call()));
  metrics.observe({ contacts: () => contacts.all().length, queuedMessages: () => chat.queued, eventSubscribers: () => hub.subscribers });

  await bindDefaulted((where) => links.start(where), settings.listen, defaultListenPort, logger);
  starting.defer(() => links.stop());
  const listen = formatAddress(links.address);

  const stopping = new AbortController();
  let up = false;
  const http = createHttp({ title: 'peerd metrics and health', version, registry: metrics.registry, allowedHosts: settings.allowHost, notReady: () => (stopping.signal.aborted ? 'stopping' : up ? undefined : 'starting') });
  starting.defer(() => http.close());
  const metricsAddress = await bindHttp(http, settings.metrics ?? defaultMetrics, settings.metrics !== undefined);

  const known: KnownPeers = { contacts, policies, links, roster: rendezvous.roster };
  const fixed = { version, ...self, room: settings.room, listen: [listen], metrics: metricsAddress, downloadDir, accept: settings.accept };
  const control = await createControl({
    version,
    logger,
    onAnswered: metrics.request,
    routes: (app) => {
      void app.register(daemonRoutes, {
        whoami: { ...self, shortId: shortPeerId(self.id) },
        status: () => statusOf({ fixed, contacts, pacing, links: () => links.all(), rendezvous: () => rendezvous.status(), transfers: () => transfers.counts(), chat }),
      });
      void app.register(doctorRoutes, {
        examine: () =>
          examine({
            stateDir, downloadDir, transfers, now,
            accept: settings.accept,
            readings: () => rendezvous.readings(),
            settingsChanged: () => JSON.stringify(reread()) !== JSON.stringify(settings),
            listening: () => ({
              bound: links.address,
              ...(settings.listen ? {} : { wantedPort: defaultListenPort }),
              own: localAddresses(links.address, true),
              reach: (address, signal) => reachSelf(identity, address, signal),
            }),
          }),
      });
      void app.register(peersRoutes, { known, contacts, links, stopping: stopping.signal });
      void app.register(verifyRoutes, { contacts, links, verifications, logger, stopping: stopping.signal });
      void app.register(policyRoutes, { contacts, policies, links, transfers, requests, logger, now, onChange: peersChanged.call });
      void app.register(contactsRoutes, { known, contacts, self: self.id, links, policies, requests, chat, transfers, onChange: peersChanged.call });
      void app.register(transfersRoutes, { transfers, stopping: stopping.signal });
      void app.register(spoolRoutes, { spool, stopping: stopping.signal });
      void app.register(historyRoutes, { transfers });
      void app.register(receiptsRoutes, { receipts, contacts, stopping: stopping.signal });
      void app.register(inboxRoutes, { transfers, introductions, requests, verifications });
      void app.register(messagesRoutes, { chat, contacts, stopping: stopping.signal });
      void app.register(eventsRoutes, { hub, logger, stopping: stopping.signal });
    },
  });
  starting.defer(() => rendezvous.stop());
  starting.defer(() => closeControl(control));
  await listenControl(control, socket, inherited);
  starting.defer(() => stopping.abort(new PeerdError('shutting_down', 'the daemon is stopping', { hint: 'Try again when it is back.' })));

  rendezvous.start();
  chat.start();
  await transfers.start();
  up = true;
  if (settings.accept === 'auto') logger.warn('accept = auto: whatever any peer of the room offers is accepted, strangers included');
  logger.info({ ...self, listen, control: socket.path, metrics: metricsAddress, version }, 'peerd is up');
  const started = starting.move();
  return {
    id: identity.id,
    control: socket.path,
    listen: links.address,
    metrics: metricsAddress,
    logger,
    status: () => {
      const { active, waiting, inbox } = transfers.counts();
      return `${links.all().length} links; transfers: ${active} under way, ${waiting} waiting; ${inbox} in the inbox`;
    },
    health: async (signal) => {
      await Promise.all([database.get('SELECT 1'), probe({ socketPath: socket.path }, '/v1/whoami', signal)]);
    },
    stop: async () => {
      logger.info('stopping');
      await started.disposeAsync();
      logger.info('stopped');
    },
  };
};
