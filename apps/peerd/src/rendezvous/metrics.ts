import { startAtZero } from '@peerd/service';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ErrorCode, RendezvousStatus } from '@peerd/protocol';

type IntroductionOutcome = 'accepted' | ErrorCode;

export interface RendezvousMetrics {
  introduced(outcome: IntroductionOutcome, seconds: number): void;
  asked(verdict: 'accepted' | 'refused' | 'pending' | 'unanswered'): void;
  lost(code: ErrorCode): void;
}

/** @param status read at each scrape */
export const createRendezvousMetrics = (registry: Registry, status: () => readonly RendezvousStatus[]): RendezvousMetrics => {
  const registers = [registry];
  const registrations: Gauge<'state'> = new Gauge({
    name: 'peerd_rendezvous_registrations',
    help: 'Configured rendezvous by the state of the registration there.',
    labelNames: ['state'],
    registers,
    collect: () => {
      for (const state of ['registered', 'connecting', 'left', 'refused']) registrations.set({ state }, 0);
      for (const { state } of status()) registrations.inc({ state });
    },
  });
  const outcomes = new Counter({ name: 'peerd_introductions_total', help: 'Introductions that we asked for, by outcome.', labelNames: ['outcome'], registers });
  const durations = new Histogram({
    name: 'peerd_introduction_seconds',
    help: 'Time until an introduction that we asked for was answered.',
    buckets: [0.01, 0.05, 0.25, 1, 5, 15, 60],
    registers,
  });
  const inbound = new Counter({ name: 'peerd_introductions_received_total', help: 'Introductions to us, by our answer.', labelNames: ['verdict'], registers });
  const losses = new Counter({ name: 'peerd_rendezvous_losses_total', help: 'Connections and attempts that ended, by reason.', labelNames: ['reason'], registers });
  startAtZero(outcomes, 'outcome', ['accepted', 'introduction_refused', 'introduction_timeout', 'no_such_peer', 'rendezvous_unreachable']);
  startAtZero(inbound, 'verdict', ['accepted', 'refused', 'pending', 'unanswered']);
  startAtZero(losses, 'reason', ['link_lost', 'rendezvous_full', 'rendezvous_unreachable', 'retiring', 'room_secret_wrong', 'superseded']);
  return {
    introduced: (outcome, seconds) => {
      outcomes.inc({ outcome });
      durations.observe(seconds);
    },
    asked: (verdict) => inbound.inc({ verdict }),
    lost: (reason) => losses.inc({ reason }),
  };
};
