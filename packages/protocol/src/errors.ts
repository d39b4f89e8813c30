/**
 * The error registry. Every failure that a peer, a script or a person can see has a code from this table. Codes are
 * stable: they are added, never renamed. docs/protocol/errors.md is the same table for readers; a test keeps them equal.
 *
 * `exit` is the exit code of peerctl. `retryable` says that the same call may succeed later without a change by the caller.
 */
export const errorCodes = {
  // Usage
  invalid_argument: { exit: 2, retryable: false, summary: 'An argument or a request field has a value that is not allowed.' },
  invalid_settings: { exit: 2, retryable: false, summary: 'A setting from a flag, the environment or a file is wrong.' },
  not_found: { exit: 1, retryable: false, summary: 'No such transfer, offer, message or route.' },
  ambiguous_id: { exit: 2, retryable: false, summary: 'The id prefix fits more than one transfer.' },
  unauthorized: { exit: 1, retryable: false, summary: 'The request needs a token and has none, or another one.' },
  wrong_state: { exit: 1, retryable: false, summary: 'The transfer is in a state that does not allow this action.' },
  internal: { exit: 1, retryable: false, summary: 'A defect in peerd. The log has the details.' },
  interrupted: { exit: 130, retryable: true, summary: 'A signal ended the command; what the daemon does goes on.' },
  // Local daemon
  daemon_unreachable: { exit: 3, retryable: true, summary: 'No peerd answers on the control socket.' },
  state_locked: { exit: 1, retryable: false, summary: 'Another daemon uses the same state directory.' },
  state_newer: { exit: 1, retryable: false, summary: 'The state directory was written by a newer version.' },
  address_in_use: { exit: 1, retryable: true, summary: 'Another program listens on the given address.' },
  shutting_down: { exit: 3, retryable: true, summary: 'The daemon is stopping.' },
  // Naming and trust
  no_such_peer: { exit: 4, retryable: true, summary: 'Nobody in the contacts, links or roster has this name or id.' },
  ambiguous_peer: { exit: 4, retryable: false, summary: 'The name or id prefix fits more than one peer.' },
  trust_changed: { exit: 8, retryable: false, summary: 'A peer bears the name of a contact but has another key.' },
  wrong_key: { exit: 8, retryable: false, summary: 'The machine that answered does not hold the expected key.' },
  not_introduced: { exit: 8, retryable: true, summary: 'An inbound link came from neither a contact nor an introduced peer.' },
  blocked: { exit: 8, retryable: false, summary: 'The peer is blocked here: nothing goes to it, and nothing of it is taken.' },
  verify_mismatch: { exit: 8, retryable: false, summary: 'The persons who compared codes saw different ones: somebody may stand between.' },
  verify_broken: { exit: 8, retryable: false, summary: 'The other side did not keep to the order or to its commitment while codes were compared.' },
  verify_timeout: { exit: 1, retryable: true, summary: 'The persons did not compare codes in time.' },
  // Reaching a peer
  peer_unreachable: { exit: 1, retryable: true, summary: 'No link came up before the deadline.' },
  introduction_refused: { exit: 5, retryable: false, summary: 'The asked peer refused the introduction.' },
  introduction_pending: { exit: 1, retryable: true, summary: 'A person at the asked peer has to accept the introduction, and has not decided yet.' },
  introduction_timeout: { exit: 1, retryable: true, summary: 'The asked peer did not answer the introduction in time.' },
  link_lost: { exit: 1, retryable: true, summary: 'The link to the peer ended.' },
  stalled: { exit: 1, retryable: true, summary: 'A data connection brought nothing for too long, within a frame.' },
  // Rendezvous
  rendezvous_unreachable: { exit: 1, retryable: true, summary: 'The rendezvous cannot be reached.' },
  rendezvous_full: { exit: 1, retryable: true, summary: 'The rendezvous has as many peers as it may hold.' },
  room_secret_wrong: { exit: 1, retryable: false, summary: 'The room has a secret, and the given one does not match.' },
  superseded: { exit: 1, retryable: true, summary: 'A newer registration or connection of the same id replaced this one.' },
  removed: { exit: 1, retryable: true, summary: 'An administrator removed the registration.' },
  lease_expired: { exit: 1, retryable: true, summary: 'Nothing was heard for longer than the lease.' },
  slow_consumer: { exit: 1, retryable: true, summary: 'The client did not read what was sent to it.' },
  rate_limited: { exit: 1, retryable: true, summary: 'Too many requests in a short time.' },
  too_many_connections: { exit: 1, retryable: true, summary: 'Too many connections of somebody who is not known, in all or of one address.' },
  retiring: { exit: 1, retryable: true, summary: 'The server is stopping and asks to come back later.' },
  // Wire
  version_unsupported: { exit: 1, retryable: false, summary: 'No protocol version is known to both sides.' },
  frame_too_large: { exit: 1, retryable: false, summary: 'A frame is longer than its type allows.' },
  malformed_frame: { exit: 1, retryable: false, summary: 'A frame or a message in it does not decode.' },
  unexpected_message: { exit: 1, retryable: false, summary: 'A message is not allowed at this point.' },
  handshake_timeout: { exit: 1, retryable: true, summary: 'TLS and hello took longer than allowed.' },
  token_invalid: { exit: 1, retryable: true, summary: 'The token of a data connection is unknown, used or expired.' },
  duplicate_link: { exit: 1, retryable: true, summary: 'Another connection of the same pair of peers was selected.' },
  disconnected: { exit: 1, retryable: true, summary: 'The peer ended the link on purpose.' },
  // Offers and manifests
  rejected: { exit: 5, retryable: false, summary: 'The receiver rejected the offer.' },
  cancelled: { exit: 6, retryable: false, summary: 'The transfer, or the comparison of codes, was cancelled.' },
  offer_expired: { exit: 1, retryable: false, summary: 'Nobody decided about the offer within its lifetime.' },
  abandoned: { exit: 1, retryable: true, summary: 'Nothing came from the sender of an accepted transfer for so long that it was given up.' },
  too_many_offers: { exit: 1, retryable: true, summary: 'The inbox holds as many offers of this peer as it may.' },
  manifest_too_large: { exit: 1, retryable: false, summary: 'The manifest is larger than the receiver stores before consent.' },
  manifest_invalid: { exit: 1, retryable: false, summary: 'The manifest breaks a rule of the path policy or is inconsistent.' },
  source_missing: { exit: 1, retryable: false, summary: 'A path to send does not exist.' },
  source_unreadable: { exit: 1, retryable: false, summary: 'A path to send cannot be read by the daemon.' },
  source_changed: { exit: 1, retryable: false, summary: 'A file changed while it was sent.' },
  special_file: { exit: 1, retryable: false, summary: 'A socket, FIFO or device was skipped.' },
  link_escapes: { exit: 1, retryable: false, summary: 'A symbolic link points outside of what is sent.' },
  key_reused: { exit: 2, retryable: false, summary: 'The key of a send stands for other content already.' },
  duplicate_name: { exit: 2, retryable: false, summary: 'Two paths of one send have the same final name.' },
  // Proof
  receipts_invalid: { exit: 1, retryable: false, summary: 'An entry of the log of receipts was removed, changed, reordered or cut off.' },
  // Content
  no_space: { exit: 7, retryable: true, summary: 'The destination file system has not enough free space.' },
  spool_full: { exit: 7, retryable: true, summary: 'The spool of the sending peerd has no room for what was to be uploaded.' },
  conflict: { exit: 1, retryable: false, summary: 'A file of that name exists and the conflict policy is `fail`.' },
  type_conflict: { exit: 1, retryable: false, summary: 'A directory stands where a file should go, or something else where a directory should.' },
  policy_unknown: { exit: 1, retryable: false, summary: 'The receiver is older and does not know the conflict policy of the offer.' },
  integrity: { exit: 1, retryable: false, summary: 'The content that arrived is not the content that was sent.' },
  partial: { exit: 1, retryable: false, summary: 'Some entries failed; the others were delivered.' },
  io_error: { exit: 1, retryable: true, summary: 'The operating system refused to read or write.' },
} as const;

export type ErrorCode = keyof typeof errorCodes;

export const isErrorCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(errorCodes, code);

/** An error with a code of the registry, a sentence that says what was wrong and, as `hint`, what to do next. */
export class PeerdError extends Error {
  override readonly name = 'PeerdError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** More machine-readable facts, such as the candidates of an ambiguous name. */
  readonly details: Record<string, unknown> | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown; details?: Record<string, unknown> } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
  }

  get retryable(): boolean {
    return errorCodes[this.code].retryable;
  }

  get exitCode(): number {
    return errorCodes[this.code].exit;
  }
}
