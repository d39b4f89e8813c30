/** What travels: the messages of docs/protocol, with what the machines need of their bodies. */
import type {
  ErrorCode, IntroductionResult, PeerId, Register, Registered, RosterDelta, RosterEntry, RosterSnapshot, TransferEnd, TransferId, VerifyMessage,
} from '@peerd/protocol';

/** Chunks as the bits of a number. */
export type ChunkBits = number;

export type SaidBySender =
  | { readonly say: 'offer'; readonly chunks: number; readonly paused: boolean }
  | { readonly say: 'last-page' | 'source-complete' | 'receipt-ack' | 'pause-ack' }
  | { readonly say: 'cancel' | 'failed'; readonly end: TransferEnd }
  | { readonly say: 'pause'; readonly paused: boolean };

export type SaidByReceiver =
  | { readonly say: 'manifest-request' | 'offered' | 'accept' | 'pause-ack' }
  | { readonly say: 'have'; readonly chunks: ChunkBits; readonly last: boolean }
  | { readonly say: 'receipt'; readonly failed: number }
  | { readonly say: 'reject' | 'cancel' | 'failed'; readonly end: TransferEnd }
  | { readonly say: 'pause'; readonly paused: boolean };

/** What users of a link say. */
export type LinkMessage =
  | { readonly kind: 'from-sender'; readonly transfer: TransferId; readonly body: SaidBySender }
  | { readonly kind: 'from-receiver'; readonly transfer: TransferId; readonly body: SaidByReceiver }
  | { readonly kind: 'data-request'; readonly transfer: TransferId }
  | { readonly kind: 'data-token'; readonly transfer: TransferId; readonly token: number }
  | { readonly kind: 'verify'; readonly message: VerifyMessage };

export type Message =
  | LinkMessage
  | { readonly kind: 'hello'; readonly role: 'link' | 'data' | 'register'; readonly id: PeerId; readonly nonce: string; readonly token?: number }
  | { readonly kind: 'close'; readonly code: ErrorCode; readonly retryAfterMs?: number }
  | { readonly kind: 'ping' | 'pong'; readonly seq: number }
  | { readonly kind: 'select'; readonly order: number }
  /** `last`: this side says no more, and waits for the other one to end the connection. */
  | { readonly kind: 'chunk'; readonly index: number; readonly last: boolean }
  | { readonly kind: 'register'; readonly body: Register }
  | { readonly kind: 'registered'; readonly body: Registered }
  | { readonly kind: 'unregister' }
  | { readonly kind: 'roster-request' }
  | { readonly kind: 'roster-snapshot'; readonly body: RosterSnapshot }
  | { readonly kind: 'roster-delta'; readonly body: RosterDelta }
  | { readonly kind: 'introduce'; readonly request: number; readonly peer: PeerId }
  | { readonly kind: 'introduction'; readonly introduction: number; readonly from: RosterEntry }
  | { readonly kind: 'introduction-answer'; readonly introduction: number; readonly verdict: 'accepted' | 'refused' }
  | { readonly kind: 'introduction-result'; readonly request: number; readonly verdict: IntroductionResult['verdict'] };
