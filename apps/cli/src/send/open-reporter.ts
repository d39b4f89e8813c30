/** Which reporter shows a send, and what all of them say of a queued one. */
import type { Output } from '../ui/output.ts';
import type { Reporter } from './reporter.ts';
import type { SendEvent } from './tracker.ts';
import { describeSkipped } from './words.ts';

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
