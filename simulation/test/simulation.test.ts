import { expect, test } from 'vitest';
import { runBatch } from '../command/batch.ts';
import { emptyTally } from '../command/tally.ts';
import { runSchedule } from '../schedule/run.ts';
import { faults, makeSchedule, type Schedule, scenarioNames } from '../schedule/schedule.ts';
import { shrink } from '../schedule/shrink.ts';

/** Bounded by time as well, so that a busy machine runs fewer of them. */
const runs = 4_000;
const atMostMs = 20_000;

test('every promise holds in thousands of worlds that go wrong', { timeout: 60_000 }, () => {
  const seed = Date.now() % 1_000_000;
  console.log(`seed ${seed}`);
  const begin = performance.now();
  let done = 0;
  const seen = new Set<string>();
  for (let first = 0; first < runs && performance.now() - begin < atMostMs; first += 100) {
    const tally = runBatch({ seed, only: undefined, first, runs: 100 });
    expect(tally.failures.map(({ run, message }) => `pnpm simulate --seed ${seed} --run ${run}: ${message}`)).toEqual([]);
    for (const kind of Object.keys(tally.rows)) seen.add(kind);
    done += tally.rows.none?.outcomes.done ?? 0;
  }
  expect([...seen]).toEqual(expect.arrayContaining([...faults]));
  expect(done).toBeGreaterThan(0);
});

test('a schedule is the same history each time it runs', () => {
  for (const [run] of scenarioNames.entries()) {
    const schedule = makeSchedule(7, run, undefined);
    const logs = [1, 2].map(() => {
      const log: string[] = [];
      runSchedule(schedule, (line) => log.push(line));
      return log;
    });
    expect(logs[0]?.length).toBeGreaterThan(50);
    expect(logs[1]).toEqual(logs[0]);
  }
});

test('a failure is shrunk to what it needs', () => {
  // A cancel that nobody knows of is a broken promise as well: everything else may go.
  const schedule: Schedule = makeSchedule(1, 6, 'crowd');
  const broken: Schedule = { ...schedule, peers: ['alice', 'bob'], sends: [{ id: 't1', from: 'alice', to: 'nobody', chunks: 5, step: 0 }], events: [{ kind: 'verify', step: 1, who: 'alice', other: 'bob', ms: 1 }] };
  const { violation } = runSchedule(broken);
  expect(violation?.invariant).toBe('everything completes');
  expect(shrink(broken, 'everything completes')).toMatchObject({ sends: [{ id: 't1', chunks: 1 }], events: [] });
});

test('an empty tally counts nothing', () => {
  expect(emptyTally()).toMatchObject({ schedules: 0, failures: [] });
});
