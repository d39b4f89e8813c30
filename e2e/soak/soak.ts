/** A world under load, sampled in equal distances. */
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { ask } from '../harness/control.ts';
import type { Peer } from '../harness/world.ts';
import { World } from '../harness/world.ts';
import { type Growth, growthOf } from './growth.ts';
import { type Deeds, underLoad } from './load.ts';
import { filesIn, type Sample, sampleOf } from './sample.ts';

export interface SoakOptions {
  readonly ms: number;
  readonly sampleEveryMs: number;
  readonly onSample: (atMs: number, samples: Readonly<Record<string, Sample>>, deeds: Deeds) => void;
  readonly signal: AbortSignal;
}

export interface SoakResult {
  readonly deeds: Deeds;
  /** By daemon. */
  readonly growth: Readonly<Record<string, readonly Growth[]>>;
}

/**
 * What is kept of everything that is over, for 30 days or for ever (receipts), grows with what was done: so much of each deed. More
 * than that is growth as anywhere else.
 */
const history: Readonly<Record<string, (deeds: Deeds) => number>> = {
  'rows transfers': ({ transfers }) => transfers,
  'rows transfer_placements': ({ transfers }) => transfers,
  'rows receipts': ({ transfers }) => transfers,
  'rows messages': ({ messages, departures }) => messages + departures,
  // Manifest and journal.
  files: ({ transfers }) => 2 * transfers,
};

/** @throws the first thing that went wrong under load */
export const soak = async ({ ms, sampleEveryMs, onSample, signal }: SoakOptions): Promise<SoakResult> => {
  await using world = await World.create();
  const rendezvous = await world.rendezvous();
  const [alice, bob] = await world.peersInOneRoom(['alice', 'bob'], { args: ['--accept', 'auto'] });
  const carol = world.peer('carol', { args: ['--accept', 'auto'] });
  const deeds: Deeds = { transfers: 0, messages: 0, disconnects: 0, departures: 0 };
  const over = new AbortController();
  const load = underLoad({ alice, bob, carol }, deeds, AbortSignal.any([signal, over.signal]));
  // Looked at below.
  load.catch(() => over.abort());
  const samples: { of: Record<string, Sample>; deeds: Deeds }[] = [];
  const sampler = async (): Promise<Record<string, Sample>> => ({
    alice: await samplePeer(alice), bob: await samplePeer(bob), rendezvous: rendezvous.daemon ? await sampleOf(rendezvous.daemon, rendezvous.admin) : {},
  });
  const started = performance.now();
  for (let next = sampleEveryMs; next <= ms && !signal.aborted && !over.signal.aborted; next += sampleEveryMs) {
    await sleep(Math.max(0, started + next - performance.now()), undefined, { signal: AbortSignal.any([signal, over.signal]) }).catch(() => {});
    if (signal.aborted || over.signal.aborted) break;
    const sample = await sampler();
    samples.push({ of: sample, deeds: { ...deeds } });
    onSample(performance.now() - started, sample, { ...deeds });
  }
  over.abort();
  await load;
  return { deeds, growth: Object.fromEntries(Object.keys(samples[0]?.of ?? {}).map((daemon) => [daemon, growthsOf(samples.map((sample) => ({ of: sample.of[daemon] ?? {}, deeds: sample.deeds })))])) };
};

const samplePeer = async (peer: Peer): Promise<Sample> => {
  const { metrics } = await ask<{ metrics: string }>(peer.socket, '/v1/status');
  if (!peer.daemon) return {};
  const state = join(peer.directory, 'state');
  return { ...(await sampleOf(peer.daemon, metrics, join(state, 'peerd.db'))), files: filesIn(state) };
};

/** Of each figure, without its history; what was not there in a sample was zero. */
const growthsOf = (samples: readonly { of: Sample; deeds: Deeds }[]): Growth[] =>
  [...new Set(samples.flatMap(({ of }) => Object.keys(of)))].sort().map((figure) => growthOf(figure, samples.map(({ of, deeds }) => (of[figure] ?? 0) - (history[figure]?.(deeds) ?? 0))));

/** Figures of which only what is beyond the history is looked at. */
export const isHistory = (figure: string): boolean => figure in history;
