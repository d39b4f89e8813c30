/** What the screen shows. */
import type { Schedule } from '../schedule/schedule.ts';
import type { Tally } from './tally.ts';

export const tableLines = (tally: Tally): string[] => {
  const columns = ['schedules', 'done', 'rejected', 'cancelled', 'failed'];
  const rows = Object.entries(tally.rows)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([kind, { schedules, outcomes }]) => [kind, schedules, outcomes.done, outcomes.rejected, outcomes.cancelled, outcomes.failed]);
  const line = ([first, ...rest]: readonly (string | number | undefined)[]): string => `  ${String(first).padEnd(18)}${rest.map((cell) => String(cell).padStart(11)).join('')}`;
  return [line(['in schedules with', ...columns]), ...rows.map(line)];
};

export const summaryLines = (tally: Tally, seconds: number): string[] => {
  const { schedules, steps, simulatedMs, counts } = tally;
  const days = simulatedMs / 86_400_000;
  return [
    `${schedules} schedules in ${seconds.toFixed(1)} s (${Math.round(schedules / seconds)}/s): ${steps} steps, ${days.toFixed(1)} simulated days`,
    Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(', '),
  ];
};

export const scheduleLines = ({ scenario, peers, leaving, sends, events }: Schedule): string[] => [
  `  ${scenario}: ${peers.join(', ')}${leaving.length > 0 ? `; ${leaving.join(', ')} leave the rendezvous` : ''}`,
  ...sends.map(({ id, from, to, chunks, step }) => `  step ${step}: ${from} sends ${id} of ${chunks} chunks to ${to}`),
  ...events.map(({ kind, step, who, other, ms }) => `  step ${step}: ${kind} ${who} (${other}), ${ms} ms`),
];
