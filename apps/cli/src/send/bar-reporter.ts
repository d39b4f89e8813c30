/** A line per transfer with bar, rate and time to go, drawn again as it changes. What ended stays above. */
import { peerLabel } from '../ui/labels.ts';
import { openLive } from '../ui/live.ts';
import type { Output } from '../ui/output.ts';
import { type ProgressView, progressLine } from '../ui/progress-line.ts';
import { RateMeter } from './rate.ts';
import type { Reporter } from './reporter.ts';
import type { SendEvent } from './tracker.ts';
import { finalText, waitingFor } from './words.ts';

/** So that waiting times count on and a stalled rate falls while no event comes. */
const redrawMs = 1_000;

interface Row {
  /** Since the content may flow: the time in which a person decided says nothing about the speed. */
  startedAt: number;
  readonly meter: RateMeter;
  event: SendEvent;
  since: number;
}

export const barReporter = (output: Output): Reporter => {
  const { colors } = output;
  const rows = new Map<string, Row>();
  let away = false;
  let paused = false;
  /** Lines that came while a question stood at the end of the screen. */
  let held: string[] = [];
  const live = openLive(output.stdout, (columns) => {
    if (paused) return [];
    const now = performance.now();
    const labels = [...rows.values()].map(({ event }) => peerLabel(event.peer));
    const lines = [...rows.values()].map((row, index) => progressLine(labels[index] ?? '', labels, view(row, now), columns, colors));
    return away ? [...lines, colors.yellow('peerd is away; waiting until it is back')] : lines;
  });
  const timer = setInterval(() => live.render(), redrawMs);

  const release = (): void => {
    live.persist(held);
    held = [];
  };

  const ended = (event: SendEvent, row: Row): void => {
    rows.delete(event.id);
    const mark = event.event === 'done' ? colors.green('✓') : event.event === 'cancelled' ? colors.dim('∅') : colors.red('✗');
    held.push(`${mark} ${peerLabel(event.peer)}: ${finalText(event, performance.now() - row.startedAt)}`);
    if (!paused) release();
  };

  return {
    event: (event) => {
      const now = performance.now();
      const row = rows.get(event.id) ?? { startedAt: now, meter: new RateMeter(), event, since: now };
      if (row.event.state !== event.state) row.since = now;
      if (event.event === 'progress' && event.chunks !== undefined) row.meter.add(now, event.bytesDone);
      else if (event.state !== 'transferring') row.meter.reset();
      if (event.event === 'accepted') row.startedAt = now;
      row.event = event;
      rows.set(event.id, row);
      if (event.event === 'done' || event.error !== undefined) ended(event, row);
      live.render();
    },
    away: (value) => {
      away = value;
      for (const row of rows.values()) row.meter.reset();
      live.render();
    },
    pause: (value) => {
      paused = value;
      if (!paused) release();
      live.render();
    },
    close: () => {
      clearInterval(timer);
      live.close();
    },
  };
};

const view = ({ event, meter, since }: Row, now: number): ProgressView => {
  const moving = event.state === 'transferring' || (event.state === 'accepted' && event.bytesDone > 0);
  if (!moving) return { kind: 'waiting', text: waitingFor(event), ms: now - since };
  return { kind: 'moving', bytes: event.bytes, bytesDone: event.bytesDone, rate: meter.rate(now), remainingMs: meter.remaining(now, event.bytes) };
};
