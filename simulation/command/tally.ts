/** Sums over many runs. */
import type { RunResult } from '../schedule/run.ts';
import type { Happening, Schedule } from '../schedule/schedule.ts';

interface Row {
  schedules: number;
  readonly outcomes: Record<'done' | 'rejected' | 'cancelled' | 'failed', number>;
}

interface Failure {
  readonly run: number;
  readonly invariant: string;
  readonly message: string;
}

export interface Tally {
  schedules: number;
  steps: number;
  simulatedMs: number;
  readonly counts: Record<string, number>;
  /** By what went wrong; `none` when nothing did. */
  readonly rows: Partial<Record<Happening | 'none', Row>>;
  readonly failures: Failure[];
}

const maxFailures = 20;

export const emptyTally = (): Tally => ({ schedules: 0, steps: 0, simulatedMs: 0, counts: {}, rows: {}, failures: [] });

const emptyRow = (): Row => ({ schedules: 0, outcomes: { done: 0, rejected: 0, cancelled: 0, failed: 0 } });

export const addRun = (tally: Tally, schedule: Schedule, result: RunResult): void => {
  tally.schedules += 1;
  tally.steps += result.steps;
  tally.simulatedMs += result.simulatedMs;
  for (const [name, count] of Object.entries(result.counts)) tally.counts[name] = (tally.counts[name] ?? 0) + count;
  const kinds = new Set(schedule.events.map(({ kind }) => kind));
  for (const kind of kinds.size === 0 ? (['none'] as const) : kinds) {
    const row = (tally.rows[kind] ??= emptyRow());
    row.schedules += 1;
    for (const outcome of result.outcomes) row.outcomes[outcome] += 1;
  }
  const { violation } = result;
  if (violation && tally.failures.length < maxFailures) tally.failures.push({ run: schedule.run, invariant: violation.invariant, message: violation.message });
};

export const addTally = (sum: Tally, part: Tally): void => {
  sum.schedules += part.schedules;
  sum.steps += part.steps;
  sum.simulatedMs += part.simulatedMs;
  for (const [name, count] of Object.entries(part.counts)) sum.counts[name] = (sum.counts[name] ?? 0) + count;
  for (const [kind, row] of Object.entries(part.rows) as [Happening, Row][]) {
    const into = (sum.rows[kind] ??= emptyRow());
    into.schedules += row.schedules;
    for (const outcome of Object.keys(row.outcomes) as (keyof Row['outcomes'])[]) into.outcomes[outcome] += row.outcomes[outcome];
  }
  for (const failure of part.failures) if (sum.failures.length < maxFailures) sum.failures.push(failure);
};
