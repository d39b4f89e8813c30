/** What to do about a transfer that did not end well. */
import { peerLabel } from '../ui/labels.ts';
import type { Failure } from '../client/failure.ts';
import type { SendEvent } from './tracker.ts';

export const failureOfSend = (event: SendEvent): Failure => {
  const { code, message } = event.error ?? { code: 'internal', message: 'the transfer failed' };
  const who = peerLabel(event.peer);
  const text = event.event === 'rejected' ? `${who} rejected the offer${message === '' ? '' : `: ${message}`}` : event.event === 'cancelled' ? `the transfer to ${who} was ${cancelled(message)}` : `the transfer to ${who} failed: ${message}`;
  const more = `\`peerctl show ${event.id}\` tells more.`;
  const hint = hints.get(code);
  return { code, message: text, hint: hint === undefined ? more : aboutSomeFiles.has(code) ? `${hint} ${more}` : hint, details: { id: event.id, peer: event.peer } };
};

/** With who cancelled it: peerd says `cancelled by the receiver`, or the words that the other side wrote. */
const cancelled = (message: string): string => (message === '' || message.startsWith('cancelled') ? message || 'cancelled' : `cancelled: ${message}`);

/** Which of the files it was stands in `show`. */
const aboutSomeFiles: ReadonlySet<string> = new Set(['source_changed', 'conflict']);

/** By code, which may be any word that the other side says. */
const hints: ReadonlyMap<string, string> = new Map([
  ['rejected', 'Ask the receiver, with `peerctl chat` for example, then send it again.'],
  ['cancelled', 'Send it again to start anew.'],
  ['no_space', 'The receiver must make room, or accept into another directory; then send it again.'],
  ['conflict', 'A file of that name is there already: send without `--conflict fail`, or have the receiver move it.'],
  ['source_changed', 'Files changed while they were sent: send them again when nothing writes to them.'],
  ['trust_changed', 'The key of this name is another than the pinned one. Ask its owner in another way whether the key is new.'],
  ['abandoned', 'The receiver gave it up, as nothing had come for 30 days: send it again.'],
  ['offer_expired', 'Nobody decided about the offer in time: ask the receiver, then send it again.'],
]);
