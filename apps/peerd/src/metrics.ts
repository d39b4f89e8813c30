/** Figures of the daemon as a whole. Links, rendezvous and transfers bring their own. */
import type { ControlEvent } from '@peerd/protocol';
import { createRegistry } from '@peerd/service';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What is read at each scrape. */
interface Observed {
  readonly contacts: () => number;
  readonly queuedMessages: () => number;
  readonly eventSubscribers: () => number;
}

export interface DaemonMetrics {
  /** With the figures of the Node process, the delay of the event loop among them. */
  readonly registry: Registry;
  readonly observe: (observed: Observed) => void;
  /** A message of a stranger was not stored. */
  readonly messageRefused: () => void;
  readonly event: (event: ControlEvent) => void;
  /** @param route the pattern, not the path: a bounded set */
  readonly request: (method: string, route: string, status: number) => void;
  readonly commit: (requests: number, seconds: number) => void;
}

export const createMetrics = (version: string): DaemonMetrics => {
  const registry = createRegistry();
  const registers = [registry];
  new Gauge({ name: 'peerd_build_info', help: 'The version that runs, as a label.', labelNames: ['version'], registers }).set({ version }, 1);
  const messages = new Counter({ name: 'peerd_messages_total', help: 'Messages that were delivered to a peer, or received.', labelNames: ['direction'], registers });
  const messagesRefused = new Counter({ name: 'peerd_messages_refused_total', help: 'Messages of peers that are no contacts, and that were not stored since there were too many.', registers });
  const requests = new Counter({ name: 'peerd_control_requests_total', help: 'Answered requests to the control API.', labelNames: ['method', 'route', 'status'], registers });
  const statements = new Counter({ name: 'peerd_database_requests_total', help: 'Requests to the database.', registers });
  const commits = new Histogram({
    name: 'peerd_database_commit_seconds',
    help: 'Time until a group of requests was on stable storage.',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2],
    registers,
  });
  for (const direction of ['sent', 'received']) messages.inc({ direction }, 0);
  return {
    registry,
    observe: ({ contacts, queuedMessages, eventSubscribers }) => {
      gauge(registry, 'peerd_contacts', 'Peers that are trusted by their key.', contacts);
      gauge(registry, 'peerd_messages_queued', 'Messages that wait for their receiver.', queuedMessages);
      gauge(registry, 'peerd_event_subscribers', 'Open event streams of the control API.', eventSubscribers);
    },
    messageRefused: () => messagesRefused.inc(),
    event: (event) => {
      if (event.kind === 'message' && event.message.state === 'delivered') messages.inc({ direction: event.message.direction });
    },
    request: (method, route, status) => requests.inc({ method, route, status: `${Math.floor(status / 100)}xx` }),
    commit: (count, seconds) => {
      statements.inc(count);
      commits.observe(seconds);
    },
  };
};

const gauge = (registry: Registry, name: string, help: string, read: () => number): void => {
  const made: Gauge = new Gauge({ name, help, registers: [registry], collect: () => made.set(read()) });
};
