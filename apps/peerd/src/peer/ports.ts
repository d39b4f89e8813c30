/** What the peer layer offers to chat and transfers, and what it needs from them. */
import type { Frame, LinkMessage, PeerdError, PeerId, TransferId } from '@peerd/protocol';

/** An authenticated link to a peer: selected, so both sides use this one. */
export interface Link {
  readonly peer: PeerId;
  /** The name from the peer's hello: raw, escape it before it is shown. */
  readonly name: string;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Buffer;
  /** This side dialled the control connection, so it dials the data connections too. */
  readonly dialled: boolean;
  readonly remote: { readonly host: string; readonly port: number };
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Aborts with a PeerdError when the link ended. */
  readonly signal: AbortSignal;
  /** RFC 8446 §7.5: bytes that only the two ends of the control connection know. */
  exportKeyingMaterial(length: number, label: string): Buffer;
  /** Queues one encoded frame on the control connection; resolves when it takes more. @throws the reason of `signal` */
  send(frame: Buffer): Promise<void>;
  /** A data connection for this transfer, whoever has to dial it. @throws PeerdError; the reason of either signal */
  openData(transfer: TransferId, signal: AbortSignal): Promise<DataConnection>;
}

/** A connection that carries chunks of one transfer in one direction. */
export interface DataConnection {
  /** Aborts with a PeerdError when the connection ended. */
  readonly signal: AbortSignal;
  /** Queues buffers as one write; resolves when it takes more. Calls `release` when nothing reads them any more, if it comes to that. @throws the reason of `signal` */
  write(buffers: readonly Uint8Array[], release?: () => void): Promise<void>;
  /**
   * Chunk, pack, hole and compressed frames until the other side ends the stream. Reading is pulled. A frame that can be released
   * must be: nothing else comes in its room.
   *
   * @param chunkSize of the transfer, in bytes
   */
  frames(chunkSize: number): AsyncIterable<Frame>;
  /** Ends the stream after everything was sent. Resolves when the connection is closed. */
  end(): Promise<void>;
  destroy(reason: PeerdError): void;
}

/** Uses of a link. Chat and transfers each are one. Calls for one link never overlap: a promise pauses reading. */
export interface LinkUser {
  linkUp(link: Link): void;
  linkDown(link: Link, reason: PeerdError): void;
  /** Each user gets every message that is not the peer layer's own, and ignores what is not its. @throws PeerdError to end the link */
  message(link: Link, message: LinkMessage): void | Promise<void>;
  /** Whether a data connection for this transfer may be opened by this peer now. */
  expectsData?(peer: PeerId, transfer: TransferId): boolean;
  /** The round of content that a data connection would belong to now; one that is up after it has ended is not wanted. */
  dataRound?(peer: PeerId, transfer: TransferId): number | undefined;
  /** The other side opened a data connection to send on it. */
  dataOpened?(link: Link, transfer: TransferId, connection: DataConnection): void;
}

/** Whose inbound link is welcome without an introduction. */
export interface LinkPolicy {
  isContact(peer: PeerId): boolean;
  isBlocked(peer: PeerId): boolean;
  hasUnfinishedTransfer(peer: PeerId): boolean;
}

export interface Links {
  get(peer: PeerId): Link | undefined;
  all(): readonly Link[];
  /** Resolves with a link that is up. Asks for an introduction and dials every candidate, again and again, until `signal` aborts. Calls join. */
  connect(peer: PeerId, signal: AbortSignal): Promise<Link>;
  /** Ends the link and redialling until the next `connect` or `need`. `false`: there was none. */
  disconnect(peer: PeerId): Promise<boolean>;
  /** As long as somebody needs a peer, its link is redialled (backoff at most 5 s). */
  need(peer: PeerId, owner: string): void;
  release(peer: PeerId, owner: string): void;
}
