/** Where the time of a transfer went: its phases, its stages, and which of them held it up. Pure. */
import type { Bottleneck, StageTimes, WhyResponse } from '@peerd/protocol';
import { type Findings, sentenceOf } from './why-sentence.ts';

export interface WhyInput {
  readonly direction: 'send' | 'receive';
  /** Escaped. */
  readonly peer: string;
  readonly createdAt: number;
  readonly offeredAt: number | undefined;
  readonly decidedAt: number | undefined;
  readonly finishedAt: number | undefined;
  readonly now: number;
  readonly stages: StageTimes;
  readonly bytesDone: number;
  /** Its peer is linked now. */
  readonly linked: boolean;
  /** Receiver: days without new content. */
  readonly idleDays: number;
}

type Explained = Pick<WhyResponse, 'running' | 'elapsed' | 'phases' | 'stages' | 'bytesPerSecond' | 'bottleneck' | 'content' | 'sentence'>;
type Named = NonNullable<WhyResponse['bottleneck']>;

/** Below this nothing is worth a name. */
const briefMs = 100;
/** The receiver's disk counts as saturated when it is busy for so much of the time in which the sender can't write. */
const saturated = 0.8;

export const explain = (input: WhyInput): Explained => {
  const { direction, peer, createdAt, offeredAt, decidedAt, finishedAt, now, bytesDone } = input;
  const end = finishedAt ?? Math.max(now, createdAt);
  const elapsed = Math.max(0, end - createdAt);
  const between = (from: number, to: number): number => Math.max(0, Math.min(to, end) - from);
  const phases = {
    reaching: between(createdAt, offeredAt ?? end),
    person: offeredAt === undefined ? 0 : between(offeredAt, decidedAt ?? end),
    content: decidedAt === undefined ? 0 : between(decidedAt, end),
  };
  const stages = { ...input.stages, waiting: Math.max(input.stages.waiting, phases.person) };
  const content = phases.content < briefMs ? null : named(contentBottleneck(direction, stages, phases.content), phases.content);
  const bottleneck = elapsed < briefMs ? null : overall(phases, content, elapsed);
  const findings: Findings = { direction, peer, running: finishedAt === undefined, linked: input.linked, idleDays: input.idleDays, elapsed, contentMs: phases.content, bottleneck, content };
  return {
    running: findings.running, elapsed, phases, stages, bottleneck, content,
    bytesPerSecond: phases.content > 0 ? Math.round((bytesDone / phases.content) * 1_000) : 0,
    sentence: sentenceOf(findings),
  };
};

interface Time {
  readonly what: Bottleneck;
  readonly ms: number;
}

const named = ({ what, ms }: Time, whole: number): Named => ({ what, ms, share: whole > 0 ? Math.min(1, ms / whole) : 0 });

const longest = (times: readonly [Time, ...Time[]]): Time => times.reduce((most, time) => (time.ms > most.ms ? time : most));

const overall = (phases: WhyResponse['phases'], content: Named | null, elapsed: number): Named => {
  const phase = longest([{ what: 'reaching', ms: phases.reaching }, { what: 'person', ms: phases.person }, { what: content?.what ?? 'idle', ms: phases.content }]);
  return named(phase.what === content?.what ? content : phase, elapsed);
};

/**
 * The stage that is always busy is the one that holds up the others. A sender can't write to the socket while the receiver's
 * disk is behind, so there the socket is named only if that disk had time left. Reading and hashing never wait for others.
 */
const contentBottleneck = (direction: WhyInput['direction'], { read, hash, socket, write, limit, compress, paused }: StageTimes, whole: number): Time => {
  const busiest = longest([{ what: 'write', ms: write }, { what: 'socket', ms: socket }, { what: 'read', ms: read }, { what: 'hash', ms: hash }, { what: 'limit', ms: limit }, { what: 'compress', ms: compress }, { what: 'paused', ms: paused }]);
  const stage = direction === 'send' && busiest.what === 'socket' && write >= saturated * socket ? { what: 'write' as const, ms: write } : busiest;
  // Times of two machines, or of two threads, may add up to a little more than the whole.
  const bounded = { what: stage.what, ms: Math.min(stage.ms, whole) };
  return longest([bounded, { what: 'idle', ms: whole - Math.min(whole, busiest.ms) }]);
};
