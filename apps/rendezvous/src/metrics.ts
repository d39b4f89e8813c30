/** Prometheus metrics. Labels come from fixed sets: no id, name or address of a peer ever stands in one. */
import { createRegistry, startAtZero } from '@peerd/service';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Read at each scrape. */
interface Readings {
  readonly connections: () => number;
  readonly peers: () => number;
  readonly rooms: () => number;
  readonly openIntroductions: () => number;
  readonly queuedBytes: () => number;
}

export interface Metrics {
  readonly registry: Registry;
  /** `new`, `superseding` or `update`. */
  readonly registrations: Counter<'kind'>;
  readonly registrationsRefused: Counter<'reason'>;
  readonly departures: Counter<'reason'>;
  readonly connectionsAccepted: Counter;
  readonly connectionsRefused: Counter<'reason'>;
  readonly deltas: Counter;
  readonly snapshots: Counter;
  readonly fanOut: Histogram;
  readonly introductions: Counter<'outcome'>;
  readonly introductionSeconds: Histogram;
  readonly introductionsIgnored: Counter<'reason'>;
  readonly framesRejected: Counter<'reason'>;
  readonly framesSkipped: Counter;
  /** Connects the gauges once the things that they read exist. */
  observe(readings: Readings): void;
}

export const createMetrics = (about: { readonly version: string; readonly maxPeers: number }): Metrics => {
  const registry = createRegistry();
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({ name, help, registers, collect() { this.set(read()); } });
  new Gauge({ name: 'rendezvous_build_info', help: 'The version that runs, as a label', labelNames: ['version'], registers }).set({ version: about.version }, 1);
  new Gauge({ name: 'rendezvous_peers_limit', help: 'Peers that may be registered at once', registers }).set(about.maxPeers);
  const registrations = new Counter({ name: 'rendezvous_registrations_total', help: 'Registrations that were accepted', labelNames: ['kind'], registers });
  const registrationsRefused = new Counter({ name: 'rendezvous_registrations_refused_total', help: 'Registrations that were refused', labelNames: ['reason'], registers });
  const departures = new Counter({ name: 'rendezvous_departures_total', help: 'Registrations that ended', labelNames: ['reason'], registers });
  const connectionsAccepted = new Counter({ name: 'rendezvous_connections_accepted_total', help: 'Connections that came as far as hello', registers });
  const connectionsRefused = new Counter({ name: 'rendezvous_connections_refused_total', help: 'Connections that ended before a registration', labelNames: ['reason'], registers });
  const deltas = new Counter({ name: 'rendezvous_roster_deltas_sent_total', help: 'Roster deltas sent to clients', registers });
  const snapshots = new Counter({ name: 'rendezvous_roster_snapshots_sent_total', help: 'Roster snapshots sent to clients', registers });
  const fanOut = new Histogram({ name: 'rendezvous_roster_fan_out_clients', help: 'Clients that one change of a room was sent to', buckets: [1, 4, 16, 64, 256, 1_024, 4_096, 16_384], registers });
  const introductions = new Counter({ name: 'rendezvous_introductions_total', help: 'Introductions that ended', labelNames: ['outcome'], registers });
  const introductionSeconds = new Histogram({ name: 'rendezvous_introduction_duration_seconds', help: 'Time from the request to the end of an introduction', buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 30, 60], registers });
  const introductionsIgnored = new Counter({ name: 'rendezvous_introduction_messages_ignored_total', help: 'Answers and requests that belong to no open introduction', labelNames: ['reason'], registers });
  const framesRejected = new Counter({ name: 'rendezvous_frames_rejected_total', help: 'Frames that ended their connection', labelNames: ['reason'], registers });
  const framesSkipped = new Counter({ name: 'rendezvous_frames_skipped_total', help: 'Frames of a type that is not known here', registers });
  startAtZero(registrations, 'kind', ['new', 'superseding', 'update']);
  startAtZero(registrationsRefused, 'reason', ['rendezvous_full', 'room_secret_wrong']);
  startAtZero(departures, 'reason', ['disconnected', 'unregistered', 'lease_expired', 'superseded', 'removed', 'slow_consumer', 'refused_frame', 'moved']);
  startAtZero(connectionsRefused, 'reason', ['handshake_timeout', 'malformed_frame', 'too_many_connections', 'version_unsupported']);
  startAtZero(introductions, 'outcome', ['accepted', 'refused', 'pending', 'timeout', 'gone', 'limited', 'dropped']);
  startAtZero(introductionsIgnored, 'reason', ['duplicate_request', 'late', 'unknown', 'foreign']);
  startAtZero(framesRejected, 'reason', ['frame_too_large', 'malformed_frame', 'rate_limited', 'unexpected_message', 'version_unsupported']);
  return {
    registry,
    registrations,
    registrationsRefused,
    departures,
    connectionsAccepted,
    connectionsRefused,
    deltas,
    snapshots,
    fanOut,
    introductions,
    introductionSeconds,
    introductionsIgnored,
    framesRejected,
    framesSkipped,
    observe: (readings) => {
      gauge('rendezvous_connections', 'Open connections after hello', readings.connections);
      gauge('rendezvous_registered_peers', 'Registered peers', readings.peers);
      gauge('rendezvous_rooms', 'Rooms that have peers', readings.rooms);
      gauge('rendezvous_open_introductions', 'Introductions that wait for an answer', readings.openIntroductions);
      gauge('rendezvous_queue_bytes', 'Bytes that wait to be sent to clients', readings.queuedBytes);
    },
  };
};
