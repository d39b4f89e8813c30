/**
 * Constants of the specification: both sides of a connection must agree on them (docs/protocol/README.md).
 * Choices of one implementation, such as queue lengths, stand beside the code that makes them.
 */
export const KiB = 1024;
export const MiB: number = 1024 * KiB;
const GiB: number = 1024 * MiB;

export const protocolVersions: readonly number[] = [1];
/** ALPN protocol names (RFC 7301). */
export const peerAlpn = 'peerd-peer/1';
export const rendezvousAlpn = 'peerd-rendezvous/1';

/** Bytes before the payload of a frame: u32 length, u8 type. */
export const frameHeaderBytes = 5;
/** Payload bound for frame types this side does not know. */
export const unknownFrameMaxBytes: number = 64 * KiB;

/** TLS and hello together, in milliseconds. */
export const handshakeTimeoutMs = 10_000;

export const rendezvousHeartbeatMs = 10_000;
export const leaseMs = 30_000;
/** An introduction is answered within this time or the asking peer gets `introduction_timeout`. */
export const introductionTimeoutMs = 60_000;
/** An acknowledged introduction lets its peer link for this long. */
export const introductionValidMs = 60_000;
export const maxAddresses = 16;
/** Roster entries per snapshot or delta frame. */
export const rosterPageEntries = 256;

export const linkHeartbeatMs = 5_000;
export const linkDeadMs = 15_000;

export const nonceBytes = 16;
export const tokenBytes = 16;
export const dataTokenValidMs = 10_000;
/** A data connection is replaced after this many bytes (AES-GCM limit, RFC 8446 §5.5). */
export const dataConnectionMaxBytes: number = 256 * GiB;

export const hashBytes = 32;
export const defaultChunkSize: number = MiB;
export const minChunkSize: number = 64 * KiB;
export const maxChunkSize: number = 4 * MiB;
export const manifestPageMaxBytes: number = 256 * KiB;
export const manifestPageMaxEntries = 1_000;
/** Manifest bytes that a receiver stores before consent. */
export const manifestMaxBytes: number = 64 * MiB;
/** Pages of such a manifest: three times what full ones need. A reader has to remember where each of them lies. */
export const manifestMaxPages = 4_096;
export const maxEntries = 1_000_000;
export const maxPathComponents = 256;
export const maxComponentBytes = 255;
export const maxSymlinkTargetBytes = 4_095;
/** Hashes per `have` frame. */
export const havePageHashes = 2_048;
/** Files in one `pack` frame, and their content in bytes. */
export const packMaxFiles = 1_024;
export const packMaxBytes: number = MiB;

export const nameMaxBytes = 64;
export const noteMaxBytes = 1_024;
export const reasonMaxBytes = 1_024;
export const chatMaxBytes: number = 16 * KiB;
export const roomMaxBytes = 64;
export const maxSavedAs = 1_000;
