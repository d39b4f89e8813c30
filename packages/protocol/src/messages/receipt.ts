import { z } from 'zod';
import { type PeerId, peerIdSchema, type TransferId, transferIdSchema } from '../ids.ts';
import { hashBytes, KiB, maxSavedAs, MiB } from '../limits.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';
import { bytesSchema, maxBytesSchema, type MessageDefinition, parseBody, uintSchema } from './define.ts';

/** What a receipt states. Its CBOR encoding is what the receiver signs with its Ed25519 key (RFC 8032). */
export interface ReceiptBody {
  transfer: TransferId;
  sender: PeerId;
  receiver: PeerId;
  offerRoot: Uint8Array;
  contentRoot: Uint8Array;
  /** Milliseconds since 1970 by the receiver's clock. */
  receivedAt: number;
  /** `transfer`: the data was on stable storage before the receipt. `none`: it was not flushed. */
  durability: 'transfer' | 'none';
  /** Entries that were delivered, and that failed. */
  delivered: number;
  failed: number;
  /** Entries whose place was taken, with the conflict policy `skip`; absent: none. Together the three are all entries. */
  skipped?: number;
}

/**
 * Receiver → sender: everything is verified and stands under its final name. Proof of delivery, and the end of the
 * transfer. `body` is the encoded `ReceiptBody`.
 */
export interface Receipt {
  transfer: TransferId;
  body: Uint8Array;
  /** 64 bytes. */
  signature: Uint8Array;
  /** Final name of each top-level entry, in manifest order; cut after 1,000. */
  savedAs: Uint8Array[];
}

export const receipt: MessageDefinition<'receipt', Receipt> = {
  kind: 'receipt',
  type: 0x4a,
  maxBytes: MiB,
  schema: z.object({
    transfer: transferIdSchema,
    body: maxBytesSchema(KiB),
    signature: bytesSchema(64),
    savedAs: z.array(maxBytesSchema(255)).max(maxSavedAs),
  }),
};

export const receiptBodySchema: z.ZodType<ReceiptBody> = z.object({
  transfer: transferIdSchema,
  sender: peerIdSchema,
  receiver: peerIdSchema,
  offerRoot: bytesSchema(hashBytes),
  contentRoot: bytesSchema(hashBytes),
  receivedAt: uintSchema,
  durability: z.enum(['transfer', 'none']),
  delivered: uintSchema,
  failed: uintSchema,
  skipped: uintSchema.exactOptional(),
});

export const encodeReceiptBody = (body: ReceiptBody): Buffer => encodeCbor(body);

/** @throws PeerdError `malformed_frame` */
export const decodeReceiptBody = (bytes: Uint8Array): ReceiptBody => parseBody('receipt body', receiptBodySchema, decodeCbor(bytes));
