import type { Output } from '../ui/output.ts';
import { describeSkipped } from './words.ts';
import type { SendEvent } from './tracker.ts';

/** Shows how a send goes on. */
export interface Reporter {
  event(event: SendEvent): void;
  /** The daemon is away (again) or back. */
  away(away: boolean): void;
  /** Stops drawing while a question is asked. */
  pause(paused: boolean): void;
  close(): void;
}

export const openReporter = async (output: Output): Promise<Reporter> => {
  if (output.json) return jsonReporter(output);
  if (output.stdout.isTTY) return (await import('./bar-reporter.ts')).barReporter(output);
  return (await import('./plain-reporter.ts')).plainReporter(output);
};

/** NDJSON: the events as they are. */
const jsonReporter = (output: Output): Reporter => ({
  event: (event) => output.document(event),
  away: () => {},
  pause: () => {},
  close: () => {},
});

/** Warnings and skipped entries of a `queued` event, once per send. */
export const reportQueued = (output: Output, { warnings = [], skipped = [] }: Pick<SendEvent, 'warnings' | 'skipped'>): void => {
  if (output.json) return;
  for (const warning of warnings) output.warn(warning);
  for (const entry of skipped) output.warn(describeSkipped(entry));
};
