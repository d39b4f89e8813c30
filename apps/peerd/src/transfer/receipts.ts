/** Receipts: what the receiver signs, and what the sender takes for proof. */
import { decodeReceiptBody, encodeReceiptBody, type PeerId, type Receipt, type ReceiptBody } from '@peerd/protocol';
import { type Identity, verifySignature } from '@peerd/service';
import type { TransferRecord } from './record.ts';

export interface SignedReceipt {
  readonly body: Buffer;
  readonly signature: Buffer;
}

export const signReceipt = (identity: Pick<Identity, 'sign'>, body: ReceiptBody): SignedReceipt => {
  const bytes = encodeReceiptBody(body);
  return { body: bytes, signature: identity.sign(bytes) };
};

/** Whether two receipts differ only in when they were signed. */
export const isSameDelivery = (a: ReceiptBody, b: ReceiptBody): boolean => encodeReceiptBody({ ...a, receivedAt: 0 }).equals(encodeReceiptBody({ ...b, receivedAt: 0 }));

/** The body, or `undefined` when it is not well formed. */
export const readReceipt = (bytes: Uint8Array): ReceiptBody | undefined => {
  try {
    return decodeReceiptBody(bytes);
  } catch {
    return undefined;
  }
};

/**
 * Whether this is the receiver's word that exactly what was sent has arrived.
 *
 * @param publicKey the receiver's, as the link has proved it
 */
export const checkReceipt = (record: TransferRecord, self: PeerId, publicKey: Buffer, receipt: Receipt): ReceiptBody | undefined => {
  const body = readReceipt(receipt.body);
  if (!body || !record.contentRoot) return undefined;
  const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
  const genuine =
    verifySignature(publicKey, receipt.body, receipt.signature) &&
    body.transfer === record.id && body.sender === self && body.receiver === record.peer &&
    equal(body.offerRoot, record.offerRoot) && equal(body.contentRoot, record.contentRoot) &&
    body.delivered + body.failed + (body.skipped ?? 0) === record.entries && (body.skipped === undefined || record.conflict === 'skip');
  return genuine ? body : undefined;
};
