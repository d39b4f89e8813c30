/**
 * The chunk journal of one transfer, the same at both ends:
 *
 *   32 bytes at each chunk index: its hash, all zero while the chunk is not there
 *   32 bytes behind the last chunk: 4 bytes magic | first 12 bytes of the offer root | u64 received | u64 rewritten
 *   seals, one behind the other, of which the last one counts: u32 length | 32 bytes BLAKE3-256 of the content | content
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

/** `undefined`: not the journal of this manifest, or damaged. */
export const decodeTrailer = (trailer: Buffer, offerRoot: Buffer): JournalCounters | undefined => {
  if (trailer.length !== hashBytes || !trailer.subarray(0, 16).equals(encodeTrailer(offerRoot, { received: 0, rewritten: 0 }).subarray(0, 16))) return undefined;
  const counters = { received: Number(trailer.readBigUInt64LE(16)), rewritten: Number(trailer.readBigUInt64LE(24)) };
  return Number.isSafeInteger(counters.received) && Number.isSafeInteger(counters.rewritten) ? counters : undefined;
};

export const encodeSeal = (content: Buffer): Buffer => {
  const header = Buffer.alloc(4);
  header.writeUInt32LE(content.length);
  return Buffer.concat([header, hash(content), content]);
};

/** The last seal, if there is one, and where the next one goes. One whose writing was interrupted does not count. */
export const decodeSeals = (bytes: Buffer): { content: Buffer | undefined; end: number } => {
  const last: { content: Buffer | undefined; end: number } = { content: undefined, end: 0 };
  while (bytes.length >= last.end + sealHeaderBytes) {
    const start = last.end + sealHeaderBytes;
    const content = bytes.subarray(start, start + bytes.readUInt32LE(last.end));
    if (content.length < bytes.readUInt32LE(last.end) || !hash(content).equals(bytes.subarray(last.end + 4, start))) break;
    last.content = content;
    last.end = start + content.length;
  }
  return last;
};
