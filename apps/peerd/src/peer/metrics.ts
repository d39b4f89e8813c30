import type { ErrorCode } from '@peerd/protocol';
import { startAtZero } from '@peerd/service';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export interface LinkMetrics {
  /** An inbound connection was not let in. */
  refused(reason: ErrorCode): void;
  dialled(outcome: 'up' | ErrorCode): void;
  linkEnded(reason: ErrorCode, seconds: number): void;
  dataOpened(side: 'dialled' | 'accepted'): void;
  /** A peer that asked for a data connection has too many. */
  dataRefused(): void;
  /** A frame of content has to wait for room. */
  contentWaits(): void;
  /** A data connection stopped within a frame, and was ended here. */
  dataStalled(): void;
}

interface Levels {
  links(): number;
  /** Of memory for content that arrives. */
  contentBytes(): number;
}

/** @param levels read at each scrape */
export const createLinkMetrics = (registry: Registry, levels: Levels): LinkMetrics => {
  const registers = [registry];
  const gauge: Gauge = new Gauge({ name: 'peerd_links', help: 'Links that are up.', registers, collect: () => gauge.set(levels.links()) });
  const content: Gauge = new Gauge({ name: 'peerd_content_memory_bytes', help: 'Memory taken for content that arrives, until it is on disk.', registers, collect: () => content.set(levels.contentBytes()) });
  const refused = new Counter({ name: 'peerd_inbound_refused_total', help: 'Inbound connections that were not let in, by reason.', labelNames: ['reason'], registers });
  const dials = new Counter({ name: 'peerd_dials_total', help: 'Dialled addresses, by outcome.', labelNames: ['outcome'], registers });
  const ended = new Counter({ name: 'peerd_links_ended_total', help: 'Links that ended, by reason.', labelNames: ['reason'], registers });
  const durations = new Histogram({ name: 'peerd_link_seconds', help: 'How long links lasted.', buckets: [1, 10, 60, 600, 3_600, 36_000, 360_000], registers });
  const data = new Counter({ name: 'peerd_data_connections_total', help: 'Data connections that came up, by the side that dialled.', labelNames: ['side'], registers });
  const dataRefused = new Counter({ name: 'peerd_data_connections_refused_total', help: 'Data connections that a peer asked for and that it got no token for, since it had too many.', registers });
  const waits = new Counter({ name: 'peerd_content_waits_total', help: 'Frames of content that had to wait for room: their peer, or all together, have as much under way as they may.', registers });
  const stalled = new Counter({ name: 'peerd_data_connections_stalled_total', help: 'Data connections that stopped within a frame for too long, and were ended here.', registers });
  startAtZero(refused, 'reason', ['duplicate_link', 'handshake_timeout', 'malformed_frame', 'not_introduced', 'rate_limited', 'token_invalid', 'too_many_connections', 'wrong_key']);
  startAtZero(dials, 'outcome', ['up', 'handshake_timeout', 'peer_unreachable', 'rate_limited', 'wrong_key']);
  startAtZero(ended, 'reason', ['disconnected', 'duplicate_link', 'link_lost', 'malformed_frame', 'rate_limited', 'shutting_down', 'superseded', 'unexpected_message']);
  startAtZero(data, 'side', ['dialled', 'accepted']);
  return {
    refused: (reason) => refused.inc({ reason }),
    dialled: (outcome) => dials.inc({ outcome }),
    linkEnded: (reason, seconds) => {
      ended.inc({ reason });
      durations.observe(seconds);
    },
    dataOpened: (side) => data.inc({ side }),
    dataRefused: () => dataRefused.inc(),
    contentWaits: () => waits.inc(),
    dataStalled: () => stalled.inc(),
  };
};
