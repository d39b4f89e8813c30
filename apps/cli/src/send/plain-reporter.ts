/** Lines for a log or a pipe: each change, and the progress in steps. */
import { peerLabel } from '../ui/labels.ts';
import type { Output } from '../ui/output.ts';
import { formatBytes, formatRate, percent } from '../ui/sizes.ts';
import { formatDuration } from '../ui/times.ts';
import { RateMeter } from './rate.ts';
import type { Reporter } from './reporter.ts';
import type { SendEvent } from './tracker.ts';
import { content, finalText, waitingFor } from './words.ts';

const stepPercent = 10;
/** A slow transfer says something in between. */
const stepMs = 30_000;

interface Row {
  /** Since the content may flow: the time in which a person decided says nothing about the speed. */
  startedAt: number;
  readonly meter: RateMeter;
  state: string;
  percent: number;
  saidAt: number;
}

export const plainReporter = (output: Output): Reporter => {
  const rows = new Map<string, Row>();
  const say = (event: SendEvent, text: string): void => output.line(`${event.id} to ${peerLabel(event.peer)}: ${text}`);

  const progress = (event: SendEvent, row: Row, now: number): void => {
    if (event.chunks === undefined) {
      if (event.state !== row.state && event.state !== 'transferring') say(event, waitingFor(event));
      return;
    }
    row.meter.add(now, event.bytesDone);
    const done = percent(event.bytesDone, event.bytes);
    if (done < row.percent + stepPercent && now - row.saidAt < stepMs) return;
    row.percent = done - (done % stepPercent);
    row.saidAt = now;
    const rate = row.meter.rate(now);
    const left = row.meter.remaining(now, event.bytes);
    const speed = rate === undefined ? '' : `, ${formatRate(rate)}`;
    say(event, `${done}% of ${formatBytes(event.bytes)}${speed}${left === undefined || done === 100 ? '' : `, ${formatDuration(left)} left`}`);
  };

  return {
    event: (event) => {
      const now = performance.now();
      const row = rows.get(event.id) ?? { startedAt: now, meter: new RateMeter(), state: '', percent: 0, saidAt: now };
      rows.set(event.id, row);
      if (event.event === 'accepted') row.startedAt = now;
      if (event.event === 'queued') say(event, `queued, ${content(event)}`);
      else if (event.event === 'progress') progress(event, row, now);
      else if (event.event === 'offered' || event.event === 'accepted') say(event, waitingFor({ ...event, state: event.event }));
      else say(event, finalText(event, now - row.startedAt));
      row.state = event.state;
    },
    away: (away) => output.line(away ? 'peerd is away; waiting until it is back' : 'peerd is back'),
    pause: () => {},
    close: () => {},
  };
};
