import type { ChatMessageView } from '@peerd/protocol';
import { peerLabel } from '../ui/labels.ts';
import type { Colors } from '../ui/output.ts';
import { formatClock } from '../ui/times.ts';

/** `17:05 bob: text`; what a stranger says is marked. */
export const messageLine = (message: ChatMessageView, colors: Colors): string => {
  const time = colors.dim(formatClock(message.sentAt));
  if (message.direction === 'sent') return `${time} ${colors.green('me')}: ${message.text}${message.state === 'queued' ? colors.dim(' (queued)') : ''}`;
  const who = peerLabel(message.peer);
  return `${time} ${message.stranger ? colors.yellow(`${who} (stranger)`) : colors.cyan(who)}: ${message.text}`;
};
