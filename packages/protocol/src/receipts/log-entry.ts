/**
 * An entry of the log of receipts (docs/protocol/receipts.md):
 *
 *     u32 length | payload (length bytes, CBOR) | SHA-256 over the payload
 *
 * Each payload names the hash of the entry before, so the entries form a chain.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { hashBytes, KiB } from '../limits.ts';
import { decodeCbor, encodeCbor } from '../messages/cbor.ts';
import { bytesSchema, maxBytesSchema } from '../messages/define.ts';

export type ReceiptRole = 'sent' | 'received';

export interface ReceiptLogRecord {
  /** From 1, without gaps. */
  seq: number;
  /** Hash of the entry before; 32 zero bytes in the first one. */
  previous: Uint8Array;
  /** `sent`: what proves that we have sent; its receiver signed it. `received`: signed here. */
  role: ReceiptRole;
  /** The receipt body exactly as it was signed. */
  body: Uint8Array;
  /** Ed25519, 64 bytes. */
  signature: Uint8Array;
  /** The receiver's public key, SubjectPublicKeyInfo in DER: a receipt can be checked without knowing the peer. */
  signer: Uint8Array;
}

/** The file begins with it. */
export const receiptLogHeader: Buffer = Buffer.from('peerd receipts 1\n');
/** Ed25519 as SPKI (RFC 8410 §4). */
const signerBytes = 44;
const signatureBytes = 64;
const lengthBytes = 4;
const payloadMaxBytes: number = 2 * KiB;
export const receiptEntryMaxBytes: number = lengthBytes + payloadMaxBytes + hashBytes;

export const firstReceiptLink: Uint8Array = new Uint8Array(hashBytes);

const recordSchema: z.ZodType<ReceiptLogRecord> = z.object({
  seq: z.int().min(1),
  previous: bytesSchema(hashBytes),
  role: z.enum(['sent', 'received']),
  body: maxBytesSchema(KiB),
  signature: bytesSchema(signatureBytes),
  signer: bytesSchema(signerBytes),
});

const hashOf = (payload: Uint8Array): Buffer => createHash('sha256').update(payload).digest();

export interface EncodedReceiptEntry {
  /** As it stands in the file. */
  readonly bytes: Buffer;
  readonly hash: Buffer;
}

/** The schema is checked on the way out too. @throws ZodError */
export const encodeReceiptEntry = (record: ReceiptLogRecord): EncodedReceiptEntry => {
  const payload = encodeCbor(recordSchema.parse(record));
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(payload.length);
  const hash = hashOf(payload);
  return { bytes: Buffer.concat([length, payload, hash]), hash };
};

export type DecodedReceiptEntry =
  | { readonly kind: 'entry'; readonly record: ReceiptLogRecord; readonly hash: Buffer; readonly bytes: number }
  /** The bytes end before the entry does. */
  | { readonly kind: 'incomplete' }
  /** `bytes`: where the next entry may begin; 0 when that can't be known. */
  | { readonly kind: 'damaged'; readonly reason: string; readonly bytes: number };

/** The entry at the beginning of `bytes`. */
export const decodeReceiptEntry = (bytes: Buffer): DecodedReceiptEntry => {
  if (bytes.length < lengthBytes) return { kind: 'incomplete' };
  const length = bytes.readUInt32BE(0);
  if (length === 0 || length > payloadMaxBytes) return { kind: 'damaged', reason: `its length cannot be ${length}`, bytes: 0 };
  const end = lengthBytes + length + hashBytes;
  if (bytes.length < end) return { kind: 'incomplete' };
  const payload = bytes.subarray(lengthBytes, lengthBytes + length);
  const hash = hashOf(payload);
  if (!hash.equals(bytes.subarray(lengthBytes + length, end))) return { kind: 'damaged', reason: 'its hash is not that of its bytes', bytes: end };
  try {
    return { kind: 'entry', record: recordSchema.parse(decodeCbor(payload)), hash, bytes: end };
  } catch {
    return { kind: 'damaged', reason: 'it is not a log entry', bytes: end };
  }
};
