/** A message as it is stored, and as it is shown. */
import { type ChatMessageView, escapeText, type PeerId } from '@peerd/protocol';

export interface StoredMessage {
  /** Order of storing. */
  readonly seq: number;
  readonly peer: PeerId;
  /** What the peer called itself when the message was stored (raw). */
  readonly peerName: string;
  readonly id: string;
  readonly direction: 'sent' | 'received';
  readonly text: string;
  readonly sentAt: number;
  readonly state: 'queued' | 'delivered';
  readonly stranger: boolean;
}

/** Before the store has given it its place. */
export type Unstored = Omit<StoredMessage, 'seq'>;

/** @param label our name for the peer, if it is a contact */
export const viewOf = (message: Unstored, label: string | undefined): ChatMessageView => ({
  id: message.id,
  peer: { id: message.peer, name: escapeText(label ?? message.peerName) },
  direction: message.direction,
  text: escapeText(message.text),
  sentAt: message.sentAt,
  state: message.state,
  stranger: message.stranger && label === undefined,
});
