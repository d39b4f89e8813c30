/** The peer layer: one slot (connections) and one pursuit (wishes) per peer, and the listener. */
import { peerAlpn, PeerdError, type PeerId } from '@peerd/protocol';
import { type Listener, listen, PeerBudgets, TokenBucket } from '@peerd/service';
import type { IntroductionHandler } from '../rendezvous/ports.ts';
import { Admission } from './admission.ts';
import { ContentMemory } from './content-memory.ts';
import type { Endpoint, LinksDeps } from './deps.ts';
import { acceptInbound } from './inbound.ts';
import type { TakeData } from './link-data.ts';
import { createLinkMetrics } from './metrics.ts';
import type { Link, Links, LinkUser } from './ports.ts';
import { Pursuit } from './pursuit.ts';
import { Slot } from './slot.ts';
import { StrangerRoom } from './stranger-room.ts';
import { defaultTiming, type LinkTiming } from './timing.ts';
import { Tokens } from './tokens.ts';

/** The peer layer with what only its owner calls. */
export interface LinkLayer extends Links {
  /** As bound. @throws before `start` */
  readonly address: Endpoint;
  /** After the number of links has changed. Returns the unsubscriber. */
  onChange(listener: () => void): () => void;
  /** Whoever needs the peer gets it again, although its link was ended on purpose. */
  resume(peer: PeerId): void;
  /** Answers introductions to us; gives the accepted ones a welcome, and dials them too. */
  readonly introduced: IntroductionHandler;
  /** @param where instead of the address of before, if that was in use. @throws PeerdError `address_in_use`, `invalid_settings` */
  start(where?: Endpoint): Promise<void>;
  /** Ends every link with `shutting_down`. Resolves when all connections are closed. */
  stop(): Promise<void>;
}

/** Introduced peers that we dial at the same time. */
const maxExpected = 64;

/** Peers that are no contacts and linked. One more takes the place of the oldest that has no transfer here: nobody can keep the others out. */
const maxStrangers = 128;

interface Peer {
  readonly slot: Slot;
  readonly pursuit: Pursuit;
}

export const createLinks = (deps: LinksDeps): LinkLayer => {
  const timing: LinkTiming = { ...defaultTiming, ...deps.timing };
  const peers = new Map<PeerId, Peer>();
  const listeners = new Set<() => void>();
  const stopping = new AbortController();
  const tokens = new Tokens<TakeData>(timing.tokenMs);
  const links = (): Link[] => [...peers.values()].flatMap(({ slot }) => slot.link ?? []);
  const content = new ContentMemory(() => metrics.contentWaits());
  const strangers = new StrangerRoom();
  const metrics = createLinkMetrics(deps.registry, { links: () => links().length, contentBytes: () => content.held });
  const admission = new Admission(deps.policy, timing.introductionMs, (id) => {
    const peer = peers.get(id);
    return peer !== undefined && (peer.slot.link !== undefined || peer.pursuit.isWanted);
  });
  const comings = new PeerBudgets(timing.comings);
  const introducedDials = new TokenBucket(timing.toldDials, performance.now());
  let listener: Listener | undefined;
  let counter = 0;
  const count = (): number => (counter += 1);

  const tell = (what: string, call: (user: LinkUser) => void): void => {
    for (const user of deps.users) {
      try {
        call(user);
      } catch (error) {
        deps.logger.error({ err: error }, `a user of links failed at ${what}`);
      }
    }
    for (const changed of listeners) changed();
  };

  const peerOf = (id: PeerId): Peer => {
    const known = peers.get(id);
    if (known) return known;
    const slot = new Slot(id, {
      deps,
      tokens,
      timing,
      metrics,
      content,
      strangers,
      count,
      onUp: (link) => {
        peer.pursuit.linkUp(link);
        deps.addressBook.reached(id, link.dialled ? link.remote : undefined);
        tell('linkUp', (user) => user.linkUp(link));
      },
      onDown: (link, reason) => {
        metrics.linkEnded(reason.code, (Date.now() - link.since) / 1_000);
        peer.pursuit.linkDown(link, reason);
        // The other side stops looking for us: only another introduction makes it dial again.
        if (reason.code === 'disconnected') admission.forget(id);
        tell('linkDown', (user) => user.linkDown(link, reason));
      },
    });
    const pursuit = new Pursuit(id, { deps, timing, metrics, admission, introducedDials, adopt: (channel, greeted) => slot.adopt(channel, greeted, true) });
    const peer: Peer = { slot, pursuit };
    peers.set(id, peer);
    return peer;
  };

  /** Peers without a connection and without a wish are forgotten. */
  const sweep = (): void => {
    for (const [id, { slot, pursuit }] of peers) if (slot.isEmpty && pursuit.isEmpty) peers.delete(id);
  };

  const makeRoomFor = (newcomer: PeerId): void => {
    if (deps.policy.isContact(newcomer) || peers.get(newcomer)?.slot.isOpen) return;
    const strangers = [...peers].filter(([id, { slot }]) => slot.isOpen && !deps.policy.isContact(id));
    if (strangers.length < maxStrangers) return;
    const oldest = strangers.find(([id, { pursuit }]) => !pursuit.isWanted && !deps.policy.hasUnfinishedTransfer(id));
    const reason = new PeerdError('too_many_connections', `${strangers.length} peers that are no contacts are linked already`);
    if (!oldest) throw reason;
    oldest[1].slot.end(reason);
  };

  const introduced: IntroductionHandler = async (from, local) => {
    if (stopping.signal.aborted || deps.policy.isBlocked(from.id) || from.id === deps.identity.id) return 'refused';
    const verdict = (await deps.admitIntroduction?.(from)) ?? 'accepted';
    if (verdict !== 'accepted') return verdict;
    if (stopping.signal.aborted) return 'refused';
    // Remembered before the acknowledgement leaves, or the peer could be quicker than our memory.
    admission.introduced(from.id);
    // Those that never came: nobody else may ever make us forget them.
    sweep();
    const expected = peers.values().reduce((sum, { pursuit }) => sum + (pursuit.isWanted ? 1 : 0), 0);
    if (expected < maxExpected) peerOf(from.id).pursuit.expect(from.addresses, local, timing.askedDialMs);
    return 'accepted';
  };

  return {
    get address() {
      if (!listener) throw new Error('links are not started');
      return listener.address;
    },
    get: (id) => peers.get(id)?.slot.link,
    all: links,
    connect: async (id, signal) => {
      stopping.signal.throwIfAborted();
      if (id === deps.identity.id) throw new PeerdError('invalid_argument', 'that is this peer itself', { hint: 'peerctl peers shows the others.' });
      sweep();
      return peerOf(id).pursuit.connect(signal);
    },
    disconnect: async (id) => {
      const peer = peers.get(id);
      if (!peer) return false;
      const reason = new PeerdError('disconnected', 'the peer ended the link on purpose');
      peer.pursuit.suspend(reason);
      const was = peer.slot.end(reason);
      await peer.slot.closed();
      sweep();
      return was;
    },
    need: (id, owner) => {
      if (!stopping.signal.aborted && id !== deps.identity.id) peerOf(id).pursuit.need(owner);
    },
    resume: (id) => peers.get(id)?.pursuit.resume(),
    release: (id, owner) => {
      peers.get(id)?.pursuit.release(owner);
      sweep();
    },
    onChange: (changed) => {
      const own = (): void => changed();
      listeners.add(own);
      return () => listeners.delete(own);
    },
    introduced,
    start: async (where = deps.listen) => {
      const context = {
        deps,
        admission,
        comings,
        metrics,
        tokens,
        signal: stopping.signal,
        makeRoomFor,
        adopt: (...[channel, greeted]: Parameters<Parameters<typeof acceptInbound>[2]['adopt']>) => {
          sweep();
          peerOf(channel.peerId).slot.adopt(channel, greeted, false);
        },
      };
      listener = await listen(deps.identity, {
        ...where,
        protocols: [peerAlpn],
        onChannel: (channel, settled) => void acceptInbound(channel, settled, context),
        // Those who only leave are no refusals; what policy refuses is counted where it is refused.
        onRefused: (reason) => reason.code !== 'link_lost' && metrics.refused(reason.code),
      });
    },
    stop: async () => {
      const reason = new PeerdError('shutting_down', 'the daemon is stopping');
      stopping.abort(reason);
      listener?.close();
      for (const { slot, pursuit } of peers.values()) {
        pursuit.stop(reason);
        slot.end(reason);
      }
      tokens.revokeAll();
      await Promise.all([...peers.values()].map(({ slot }) => slot.closed()));
      peers.clear();
    },
  };
};
