/**
 * The chunk journal of one transfer, the same at both ends:
 *
 *   32 bytes at each chunk index: its hash, all zero while the chunk is not there
 *   32 bytes behind the last chunk: 4 bytes magic | first 12 bytes of the offer root | u64 received | u64 rewritten
 *   once sealed: u32 length | 32 bytes BLAKE3-256 of the content | content
 *
 * Integers are little-endian. The magic and the offer root tell a journal of another manifest.
 */
import { hashBytes } from '@peerd/protocol';
import { hash } from '../hashing.ts';

const magic = Buffer.from('PCJ1');
const rootPrefixBytes = 12;
const sealHeaderBytes: number = 4 + hashBytes;
/** Far above what a seal needs: 1,000,000 failures with their messages. */
export const sealMaxBytes: number = 1024 * 1024 * 1024;

export interface JournalCounters {
  received: number;
  rewritten: number;
}

export const encodeTrailer = (offerRoot: Buffer, counters: JournalCounters): Buffer => {
  const trailer = Buffer.alloc(hashBytes);
  magic.copy(trailer);
  offerRoot.copy(trailer, 4, 0, rootPrefixBytes);
  trailer.writeBigUInt64LE(BigInt(counters.received), 16);
  trailer.writeBigUInt64LE(BigInt(counters.rewritten), 24);
  return trailer;
};

/** `undefined`: not the journal of this manifest. */
export const decodeTrailer = (trailer: Buffer, offerRoot: Buffer): JournalCounters | undefined => {
  if (trailer.length !== hashBytes || !trailer.subarray(0, 16).equals(encodeTrailer(offerRoot, { received: 0, rewritten: 0 }).subarray(0, 16))) return undefined;
  return { received: Number(trailer.readBigUInt64LE(16)), rewritten: Number(trailer.readBigUInt64LE(24)) };
};

export const encodeSeal = (content: Buffer): Buffer => {
  const header = Buffer.alloc(4);
  header.writeUInt32LE(content.length);
  return Buffer.concat([header, hash(content), content]);
};

/** `undefined`: no seal, or one whose writing was interrupted. */
export const decodeSeal = (bytes: Buffer): Buffer | undefined => {
  if (bytes.length < sealHeaderBytes) return undefined;
  const content = bytes.subarray(sealHeaderBytes, sealHeaderBytes + bytes.readUInt32LE());
  return content.length === bytes.readUInt32LE() && hash(content).equals(bytes.subarray(4, sealHeaderBytes)) ? content : undefined;
};
