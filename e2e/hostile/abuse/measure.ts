/** What an attack costs: memory of its victim, and how long honest peers wait meanwhile. */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../../harness/control.ts';
import type { Attack } from './attack.ts';
import type { Stage } from './stage.ts';

export interface Findings {
  /** Bytes of resident memory of the victim: before the attack, and at most during it. */
  readonly rss: { readonly before: number; readonly peak: number };
  /** Round trips during the attack, in ms, ascending: of an honest peer (a message, at a rendezvous a ping), and of GET /v1/status (/healthz). */
  readonly honest: readonly number[];
  readonly status: readonly number[];
  /** What the offender heard at the end. */
  readonly told: string;
  /** By how much the metric of the attack grew. */
  readonly counted: number;
}

/** Honest peers talk so often; far less than they may. */
const honestPauseMs = 100;

/** @param over ends the attack. @throws when an honest peer gets no answer */
export const measure = async (stage: Stage, attack: Attack, over: AbortSignal): Promise<Findings> => {
  const atRendezvous = attack.victim === 'rendezvous';
  const daemon = (atRendezvous ? stage.rendezvous : stage.victim).daemon;
  if (!daemon) throw new Error(`the ${attack.victim} does not run`);
  const metrics = atRendezvous ? stage.rendezvous.admin : stage.metrics;
  const countedBefore = await metricAt(metrics, attack.metric);
  // From now on the peak is counted anew (proc_pid_clear_refs(5)).
  writeFileSync(`/proc/${daemon.pid}/clear_refs`, '5');
  const before = memoryOf(daemon.pid, 'VmRSS');
  const measured = new AbortController();
  const honest = roundTrips(() => (atRendezvous ? stage.heartbeat() : stage.chat()), measured.signal);
  const status = roundTrips(() => (atRendezvous ? fetched(`http://${metrics}/healthz`) : ask(stage.victim.socket, '/v1/status')), measured.signal);
  let told: string;
  try {
    told = await attack.run(stage, over);
  } finally {
    measured.abort();
    // When the attack itself fails, its reason is told, not what that does to the others.
    await Promise.allSettled([honest, status]);
  }
  return {
    rss: { before, peak: memoryOf(daemon.pid, 'VmHWM') }, honest: await honest, status: await status, told, counted: (await metricAt(metrics, attack.metric)) - countedBefore,
  };
};

/** @param share of those that took no longer, such as 0.99 */
export const percentile = (ascending: readonly number[], share: number): number => ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? Number.NaN;

const memoryOf = (pid: number, field: 'VmRSS' | 'VmHWM'): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? Number.NaN) * 1_024;

/** At least one, and more until the signal aborts. */
const roundTrips = async (deed: () => Promise<unknown>, signal: AbortSignal): Promise<number[]> => {
  const took: number[] = [];
  do {
    const started = performance.now();
    await deed();
    took.push(performance.now() - started);
    await sleep(honestPauseMs, undefined, { signal }).catch(() => {});
  } while (!signal.aborted);
  return took.sort((one, other) => one - other);
};

const fetched = async (url: string): Promise<string> => (await fetch(url)).text();

/** A series that is not there counts nothing. @param series with its labels */
export const metricAt = async (address: string, series: string): Promise<number> => {
  const line = (await fetched(`http://${address}/metrics`)).split('\n').find((one) => one.startsWith(`${series} `));
  return Number(line?.slice(series.length) ?? 0);
};
