/** Which reporter shows a send, and what all of them say of a queued one. */
import type { SendResponse } from '@peerd/protocol';
import { count } from '../ui/sizes.ts';
import type { Output } from '../ui/output.ts';
import type { Reporter } from './reporter.ts';
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
export const reportQueued = (output: Output, { warnings, skipped, leftOut = 0, repeated = [] }: Pick<SendResponse, 'warnings' | 'skipped' | 'leftOut' | 'repeated'>): void => {
  if (output.json) return;
  for (const warning of warnings) output.warn(warning);
  for (const entry of skipped) output.warn(describeSkipped(entry));
  if (leftOut > 0) output.note(`${count(leftOut, 'entry', 'entries')} left out by --exclude and --include`);
  for (const id of repeated) output.note(`sent before under this key: transfer ${id}`);
};
