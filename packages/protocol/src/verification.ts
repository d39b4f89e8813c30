/**
 * What two persons compare to be sure that no one stands between them: a code made of both ids, a nonce of each side, and
 * keying material that only the two ends of their TLS connection have (RFC 8446 §7.5). Each side commits to its nonce before
 * it has seen the other's, so that nobody can try nonces until two codes are equal.
 */
import { createHash } from 'node:crypto';
import type { PeerId } from './ids.ts';

export const verifyKeyingLabel = 'EXPORTER-peerd-verify';
export const verifyKeyingBytes = 32;
export const verifyNonceBytes = 32;

const separator = Buffer.of(0);
/** 12 digits: 39.8 bits. */
const codes = 1_000_000_000_000n;

/** Commits the peer `id` to `nonce`. With the id, so that it can't be sent back as one's own. */
export const verifyCommitment = (id: PeerId, nonce: Uint8Array): Buffer =>
  createHash('sha256').update('peerd verify commit v1').update(separator).update(id).update(separator).update(nonce).digest();

interface Side {
  readonly id: PeerId;
  readonly nonce: Uint8Array;
}

/** `1234 5678 9012`: the same at both ends. */
export const verifyCode = (one: Side, other: Side, keyingMaterial: Uint8Array): string => {
  const [low, high] = one.id < other.id ? [one, other] : [other, one];
  const hash = createHash('sha256').update('peerd verify code v1').update(separator);
  for (const { id } of [low, high]) hash.update(id).update(separator);
  const digest = hash.update(low.nonce).update(high.nonce).update(keyingMaterial).digest();
  const digits = (digest.readBigUInt64BE(0) % codes).toString().padStart(12, '0');
  return `${digits.slice(0, 4)} ${digits.slice(4, 8)} ${digits.slice(8)}`;
};
