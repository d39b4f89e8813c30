import type { ChatMessageView } from '@peerd/protocol';
import { peerLabel } from '../ui/labels.ts';
import type { Colors } from '../ui/output.ts';
import { formatClock, formatDate } from '../ui/times.ts';

/** `17:05 bob: text`; what a stranger says is marked. */
export const messageLine = (message: ChatMessageView, colors: Colors): string => {
  return line(message, formatClock(message.sentAt), 'me', colors);
};

/** With the date. @param named says also to whom one's own messages went */
export const datedMessageLine = (message: ChatMessageView, named: boolean, colors: Colors): string =>
  line({ ...message, stranger: false }, formatDate(message.sentAt), named ? `me to ${peerLabel(message.peer)}` : 'me', colors);

const line = (message: ChatMessageView, at: string, me: string, colors: Colors): string => {
  const time = colors.dim(at);
  if (message.direction === 'sent') return `${time} ${colors.green(me)}: ${message.text}${message.state === 'queued' ? colors.dim(' (queued)') : ''}`;
  const who = peerLabel(message.peer);
  return `${time} ${message.stranger ? colors.yellow(`${who} (stranger)`) : colors.cyan(who)}: ${message.text}`;
};
