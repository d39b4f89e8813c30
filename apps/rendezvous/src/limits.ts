/** Choices of this implementation; what both sides must agree on stands in protocol/limits.ts. */
import { leaseMs, MiB } from '@peerd/protocol';
import type { Rate } from '@peerd/service';
import type { OutboxLimits } from './connection/outbox.ts';
import type { IntroductionLimits } from './introduction/introductions.ts';

/** Connections in all that may be on their way to a registration. */
export const maxPending = 1_024;

/** What may wait for one client. */
export const outboxLimits: OutboxLimits = { maxBytes: MiB, stallMs: leaseMs };

/** What the holder of a key may send, over all its connections; a costly message takes more than one token. */
export const frameRate: Rate = { burst: 200, perSecond: 20 };

export const introductionLimits: IntroductionLimits = {
  openPerAsker: 32,
  openPerTarget: 128,
  requests: { burst: 64, perSecond: 4 },
};

/** A removed client is asked to stay away for this long. */
export const removedRetryMs = 60_000;
/** Spread, so that the clients of a server that restarts don't all come at once. */
export const retiringRetryMs = (): number => 1_000 + Math.round(Math.random() * 4_000);
/** A full server asks to come back after about this long. */
export const fullRetryMs = (): number => 15_000 + Math.round(Math.random() * 15_000);
/**
 * Changes of a room within this time travel in one delta. Everybody in a large room is told of each, so they are told less
 * often: at most 1,000 deltas leave in a second, or one for each peer.
 */
export const coalesceMs = (peers: number): number => Math.min(1_000, Math.max(100, peers));
/** How long a request to the admin port may delay the stop. */
export const adminGraceMs = 1_000;
