/** What the log of receipts offers. */
import type { PeerId, ReceiptBody, ReceiptLogRecord, ReceiptProblem, ReceiptRole, TransferId } from '@peerd/protocol';

export interface ReceiptKey {
  readonly role: ReceiptRole;
  /** The other side. */
  readonly peer: PeerId;
  readonly transfer: TransferId;
}

/** What is appended. */
export interface NewReceipt {
  readonly role: ReceiptRole;
  readonly body: Buffer;
  readonly signature: Buffer;
  /** SPKI in DER. */
  readonly signer: Buffer;
}

/** An entry as it is listed. */
export interface LoggedReceipt extends ReceiptKey {
  readonly seq: number;
  /** Of the other side, as long as the transfer is remembered; raw. */
  readonly peerName: string | undefined;
  readonly hash: Buffer;
  /** `undefined`: the entry does not stand any more where it was written. */
  readonly content: { readonly record: ReceiptLogRecord; readonly body: ReceiptBody } | undefined;
}

export interface ReceiptCheck {
  /** Entries that are as they were written, from the first one on. */
  readonly intact: number;
  /** Entries that were written. */
  readonly written: number;
  readonly problem: ReceiptProblem | undefined;
}

export interface ReceiptLog {
  readonly path: string;
  /** Resolves when it is on stable storage. One that is there already is not written again. @throws PeerdError `no_space`, `io_error` */
  append(receipt: NewReceipt): Promise<void>;
  /** The newest receipt of a transfer that stands in the log. */
  find(key: ReceiptKey): Promise<LoggedReceipt | undefined>;
  /** Newest first. */
  list(offset: number, limit: number): Promise<{ receipts: LoggedReceipt[]; total: number }>;
  /** Follows the whole chain. @throws the reason of `signal` */
  verify(signal: AbortSignal): Promise<ReceiptCheck>;
  close(): Promise<void>;
}
