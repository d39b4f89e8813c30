/** Choices of this implementation; what both sides must agree on stands in the protocol's limits. */
import { type Backoff, dataTokenValidMs, introductionValidMs, linkHeartbeatMs } from '@peerd/protocol';
import type { Rate } from '@peerd/service';

export interface LinkTiming {
  readonly heartbeatMs: number;
  /** The present link must answer a ping within this time when another connection of the pair arrives. */
  readonly probeMs: number;
  /** The side with the lower id must select a connection within this time. */
  readonly selectMs: number;
  /** Everything that opening a data connection takes. */
  readonly openDataMs: number;
  readonly tokenMs: number;
  /** A data connection that has begun a frame, and brings nothing for so long, ends: what it holds may be wanted elsewhere. */
  readonly stalledDataMs: number;
  /** RFC 8305 §5, Connection Attempt Delay. */
  readonly staggerMs: number;
  readonly redial: Backoff;
  /**
   * Links of a peer that it dials. Each costs rows, lines, events and a look at all its transfers, however short it is. A peer that
   * dials as it should, by every address, and loses each link at once, stays far below.
   */
  readonly comings: Rate;
  /** Of addresses that others told: of each peer that is wanted here, and of all together that were only introduced. */
  readonly toldDials: Rate;
  readonly introductionMs: number;
  /** How long the asked side of an introduction dials the asking one. */
  readonly askedDialMs: number;
  /** A refused or postponed introduction is asked for again after this time while somebody still needs the peer. */
  readonly refusedAgainMs: number;
}

export const defaultTiming: LinkTiming = {
  heartbeatMs: linkHeartbeatMs,
  probeMs: 2_000,
  selectMs: 10_000,
  openDataMs: 15_000,
  tokenMs: dataTokenValidMs,
  stalledDataMs: 60_000,
  staggerMs: 250,
  redial: { firstMs: 250, maxMs: 5_000 },
  comings: { burst: 60, perSecond: 1 },
  toldDials: { burst: 128, perSecond: 16 },
  introductionMs: introductionValidMs,
  askedDialMs: 20_000,
  refusedAgainMs: 60_000,
};
