/** Sentences about the events of a send. */
import type { SkippedEntry, TransferSummary } from '@peerd/protocol';
import { peerLabel } from '../ui/labels.ts';
import { count, formatBytes, formatRate } from '../ui/sizes.ts';
import { formatDuration } from '../ui/times.ts';
import type { SendEvent } from './tracker.ts';

/** Final names that are listed one by one. */
const maxSavedAs = 5;

export const describeSkipped = ({ path, code, message }: SkippedEntry): string => `skipped ${path}: ${message} (${code})`;

export const content = ({ entries, bytes }: { entries: number; bytes: number }): string => `${count(entries, 'entry', 'entries')}, ${formatBytes(bytes)}`;

/** What a transfer that does not move is waiting for. */
export const waitingFor = (event: SendEvent): string => {
  const who = peerLabel(event.peer);
  switch (event.state) {
    case 'queued':
      return `queued until ${who} can be reached`;
    case 'connecting':
      return `connecting to ${who}`;
    case 'offered':
      return `offered, ${who} has to accept`;
    case 'accepted':
      return `${who} accepted`;
    case 'paused':
      return pausedBy({ ...event, direction: 'send' });
    case 'verifying':
      return `${who} verifies and saves it`;
    default:
      return event.state;
  }
};

/** Who holds a paused transfer, seen from here. */
export const pausedBy = ({ direction, peer, pausedBy: sides = [] }: Pick<TransferSummary, 'direction' | 'peer' | 'pausedBy'>): string => {
  const here = sides.includes(direction === 'send' ? 'sender' : 'receiver');
  const there = sides.includes(direction === 'send' ? 'receiver' : 'sender');
  if (here && there) return `paused here and by ${peerLabel(peer)}`;
  return there ? `paused by ${peerLabel(peer)}` : 'paused here';
};

const savedAsText = (savedAs: readonly string[]): string =>
  savedAs.length === 0 ? '' : `, saved as ${savedAs.slice(0, maxSavedAs).join(', ')}${savedAs.length > maxSavedAs ? ` and ${savedAs.length - maxSavedAs} more` : ''}`;

const keptText = (kept = 0): string => (kept === 0 ? '' : `; ${kept} skipped, as ${kept === 1 ? 'it was' : 'they were'} there already`);

/** One line for a transfer that ended. */
export const finalText = (event: SendEvent, durationMs: number): string => {
  switch (event.event) {
    case 'done': {
      const rate = durationMs >= 1_000 && event.bytes > 0 ? ` (${formatRate((event.bytes * 1_000) / durationMs)})` : '';
      return `done, ${content(event)} in ${formatDuration(durationMs)}${rate}${savedAsText(event.savedAs ?? [])}${keptText(event.kept)}`;
    }
    case 'rejected':
      return 'rejected';
    case 'cancelled':
      return 'cancelled';
    default:
      return 'failed';
  }
};
