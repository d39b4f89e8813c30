/**
 * One run: a world, loads and a fault, all from one seed. The seed decides what happens and when; the scheduler of the machine
 * decides what it meets, so a replay is the same experiment, not the same interleaving.
 *
 * 1. the stage is built, content is made
 * 2. everything is sent, and at a random point the fault begins
 * 3. the fault is gone: what failed is sent again, what waits in an inbox is accepted
 * 4. everything is at rest: the checks
 */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../harness/control.ts';
import { checkAll } from './checks.ts';
import type { Fault } from './fault.ts';
import { directoryPrefix, reportFile } from './leftovers.ts';
import { type Load, planLoads, prepareLoad } from './load.ts';
import { Random } from './random.ts';
import { type Course, type Sent, sendUntilThere, settleMs } from './sending.ts';
import { Sightings } from './sightings.ts';
import { Stage } from './stage.ts';

export interface RunResult {
  readonly fault: string;
  readonly seed: string;
  readonly sent: readonly Sent[];
  readonly resumed: number;
  readonly wrong: readonly string[];
  /** Where the world and its logs are kept, when something is wrong. */
  readonly kept: string | undefined;
}

/** The fault begins within so long after the first send. */
const beginWithinMs = 3_000;

/** @param signal ends the run early; what it started is taken down */
export const runOnce = async (fault: Fault, seed: string, signal: AbortSignal): Promise<RunResult> => {
  const directory = mkdtempSync(directoryPrefix(process.pid));
  const random = new Random(`${seed}/${fault.name}`);
  const outcome: Play['outcome'] = { sent: [], resumed: 0, wrong: [] };
  const over = new AbortController();
  let stage: Stage | undefined;
  let played: Promise<void> | undefined;
  try {
    const setting = fault.setting(random.fork('setting'));
    stage = await Stage.open(directory, setting);
    played = play(stage, fault, { signal: over.signal, random, loads: planLoads(random.fork('loads'), setting.small?.directory !== 'state'), outcome });
    await Promise.race([played, abortOf(signal)]);
  } catch (error) {
    outcome.wrong.push(`the run ended early: ${(error as Error).stack ?? String(error)}`);
  }
  over.abort(new Error('the run is over'));
  // What was interrupted says nothing.
  const isWrong = outcome.wrong.length > 0 && !signal.aborted;
  if (isWrong && stage) keepLogs(stage, directory, outcome.wrong);
  try {
    await stage?.[Symbol.asyncDispose]();
  } catch (error) {
    outcome.wrong.push(`cannot be taken down: ${String(error)}`);
  }
  // Without daemons it comes to its end, and nothing of it looks at the directory any more.
  await played?.catch(() => {});
  if (!isWrong) rmSync(directory, { recursive: true, force: true });
  return { fault: fault.name, seed, ...outcome, kept: isWrong ? directory : undefined };
};

/** Rejects when the signal aborts, or has. */
const abortOf = async (signal: AbortSignal): Promise<never> => {
  if (!signal.aborted) await once(signal, 'abort');
  throw signal.reason;
};

interface Play {
  /** Ends what the run has begun. */
  readonly signal: AbortSignal;
  readonly random: Random;
  readonly loads: readonly Load[];
  readonly outcome: { sent: Sent[]; resumed: number; wrong: string[] };
}

const play = async (stage: Stage, fault: Fault, { signal, random, loads: planned, outcome }: Play): Promise<void> => {
  const sources = join(stage.world.directory, 'sources');
  mkdirSync(sources);
  const loads = planned.map((load) => prepareLoad(load, sources, stage.peer(load.to).inboxDirectory));
  using atAlice = new Sightings(stage.peer('alice').inboxDirectory, loads.filter(({ to }) => to === 'alice'));
  using atBob = new Sightings(stage.peer('bob').inboxDirectory, loads.filter(({ to }) => to === 'bob'));
  const gone = Promise.withResolvers<void>();
  const course: Course = { phase: 'before', gone: gone.promise, signal };
  const sending = Promise.allSettled(loads.map((load) => sendUntilThere(stage.peer(load.from), stage.peer(load.to), load, course)));
  const faultRandom = random.fork('fault');
  await sleep(faultRandom.int(0, beginWithinMs), undefined, { signal });
  course.phase = 'there';
  await fault.inject(stage, faultRandom, signal);
  course.phase = 'gone';
  gone.resolve();
  const settled = new AbortController();
  const deadline = sleep(settleMs, undefined, { signal: settled.signal }).catch(() => {});
  const accepting = acceptWhatWaits(stage, AbortSignal.any([settled.signal, signal]));
  const results = await Promise.race([sending, deadline]);
  settled.abort();
  await accepting;
  signal.throwIfAborted();
  if (results === undefined) outcome.wrong.push(`not everything was there ${settleMs / 1_000} s after the fault`);
  for (const result of results ?? []) {
    if (result.status === 'fulfilled') outcome.sent.push(result.value);
    else outcome.wrong.push((result.reason as Error).message);
  }
  const { wrong, resumed } = await checkAll(stage, loads, { alice: atAlice, bob: atBob }, new Set(outcome.sent.filter(({ failed }) => failed.includes('partial')).map(({ load }) => load.name)));
  outcome.wrong.push(...wrong);
  outcome.resumed = resumed;
};

/** As a person would: an offer that a policy could not take (a full disk) waits in the inbox. */
const acceptWhatWaits = async (stage: Stage, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    for (const peer of stage.peers) {
      const { offers } = await ask<{ offers: { id: string }[] }>(peer.socket, '/v1/inbox').catch(() => ({ offers: [] }));
      // It may be over meanwhile.
      for (const { id } of offers) if (!signal.aborted) await peer.run('accept', id);
    }
    await sleep(500, undefined, { signal }).catch(() => {});
  }
};

const keepLogs = (stage: Stage, directory: string, wrong: readonly string[]): void => {
  const report = reportFile(directory);
  const logs = dirname(report);
  mkdirSync(logs, { recursive: true });
  writeFileSync(report, `${wrong.join('\n')}\n`);
  for (const who of [...stage.peers, ...(stage.rendezvous ? [stage.rendezvous] : [])]) if (who.daemon) writeFileSync(join(logs, `${who.daemon.name}.ndjson`), `${who.logs.join('\n')}\n`);
};
