/** All rendezvous together: one client each, one roster, one way to ask for an introduction. */
import { PeerdError, type PeerId, type RosterEntry, shortPeerId } from '@peerd/protocol';
import { Scope } from '../net/scope.ts';
import { RendezvousClient } from './client.ts';
import type { RendezvousDeps } from './deps.ts';
import { createRendezvousMetrics } from './metrics.ts';
import type { Rendezvous } from './ports.ts';
import { UnionRoster } from './roster.ts';

export const createRendezvous = (deps: RendezvousDeps): Rendezvous => {
  const clients: RendezvousClient[] = [];
  const roster = new UnionRoster(deps.room, () => clients);
  const metrics = createRendezvousMetrics(deps.registry, () => clients.map((client) => client.status()));
  let ticks = 0;
  const clock = (): number => (ticks += 1);
  for (const setting of deps.settings) clients.push(new RendezvousClient(setting, { deps, metrics, clock, onRosterChange: () => roster.changed() }));

  let asking = 0;
  /** Off the roster while a link is up; but not before an answer that we wait for has come. */
  const attend = (): void => {
    const leave = deps.afterConnect === 'leave' && deps.links.count() > 0 && asking === 0;
    for (const client of clients) client.dispatch({ kind: leave ? 'leave' : 'come' });
  };
  let unsubscribe: (() => void) | undefined;

  const introduce = async (peer: PeerId, signal: AbortSignal): Promise<RosterEntry> => {
    signal.throwIfAborted();
    const listing = clients.filter((client) => client.peers.has(peer));
    if (listing.length === 0) throw new PeerdError('no_such_peer', `no rendezvous lists ${shortPeerId(peer)}`, { hint: 'peerctl peers shows who is online; peerctl status shows the rendezvous.' });
    // The first acknowledgement ends the other requests.
    using scope = new Scope([signal]);
    asking += 1;
    try {
      return await Promise.any(listing.map((client) => client.introduce(peer, scope.signal)));
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof AggregateError ? mostTelling(error.errors) : error;
    } finally {
      scope.abort(new PeerdError('cancelled', 'another rendezvous was quicker'));
      asking -= 1;
      if (unsubscribe) attend();
    }
  };

  return {
    roster,
    status: () => clients.map((client) => client.status()),
    readings: () => clients.map((client) => client.reading()),
    introduce: async (peer, signal) => {
      const start = performance.now();
      const done = (outcome: Parameters<typeof metrics.introduced>[0]): void => metrics.introduced(outcome, (performance.now() - start) / 1_000);
      try {
        const entry = await introduce(peer, signal);
        done('accepted');
        return entry;
      } catch (error) {
        done(error instanceof PeerdError ? error.code : signal.aborted ? 'cancelled' : 'internal');
        throw error;
      }
    },
    start: () => {
      if (unsubscribe) return;
      unsubscribe = deps.links.onChange(attend);
      for (const client of clients) client.dispatch({ kind: 'start' });
      attend();
    },
    stop: async () => {
      unsubscribe?.();
      unsubscribe = undefined;
      for (const client of clients) client.dispatch({ kind: 'stop' });
      await Promise.all(clients.map((client) => client.closed()));
    },
  };
};

const mostTelling = (errors: readonly unknown[]): unknown => {
  const codes = ['introduction_pending', 'introduction_refused', 'introduction_timeout', 'rate_limited'];
  const rank = (error: unknown): number => (error instanceof PeerdError && codes.includes(error.code) ? codes.indexOf(error.code) : codes.length);
  return [...errors].sort((a, b) => rank(a) - rank(b))[0];
};
