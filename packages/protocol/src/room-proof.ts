/**
 * Proof that a client knows the secret of a room, bound to one TLS connection so that it can't be replayed on another
 * (RFC 8446 §7.5, RFC 9266). The layout of the message stands in messages/register.ts.
 */
import { createHmac } from 'node:crypto';

/** Label and length, in bytes, of the keying material that both ends export for the proof. */
export const roomKeyingLabel = 'EXPORTER-peerd-room';
export const roomKeyingBytes = 32;

const separator = Buffer.of(0);

/** HMAC-SHA-256 (RFC 2104), 32 bytes. Compare with `crypto.timingSafeEqual`. */
export const roomProof = (secret: Uint8Array, room: string, keyingMaterial: Uint8Array): Buffer =>
  createHmac('sha256', secret)
    .update('peerd room v1')
    .update(separator)
    .update(room, 'utf8')
    .update(separator)
    .update(keyingMaterial)
    .digest();
