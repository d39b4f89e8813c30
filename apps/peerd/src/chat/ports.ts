/** What the chat layer offers. */
import type { ChatMessageView, PeerId, SendMessageResponse } from '@peerd/protocol';

export interface MessageQuery {
  /** Without one: of all contacts. */
  readonly peer?: PeerId;
  /** Instead: of everybody who is no contact. */
  readonly strangers?: boolean;
  readonly limit: number;
}

export interface Chat {
  /**
   * Stores the message and sends it. Resolves when the peer has stored it, or, as `queued`, when it has not within a few
   * seconds; then it goes out at the next link.
   *
   * @throws PeerdError `invalid_argument`, `rate_limited`
   */
  send(peer: { id: PeerId; name: string }, text: string, signal: AbortSignal): Promise<Omit<SendMessageResponse, 'warnings'>>;
  /** The latest ones, oldest first. */
  messages(query: MessageQuery): Promise<ChatMessageView[]>;
  /** The peer has become a contact: its messages are no stranger's any more. */
  adopt(peer: PeerId): Promise<void>;
  /** The peer is no contact any more: what it said becomes a stranger's, what waits for it is dropped. Resolves with how many were dropped. */
  disown(peer: PeerId): Promise<number>;
}
