/**
 * Bulk frames of a data connection. Binary, never CBOR; the transfer is known from the connection's token.
 *
 *   chunk (0x60)  u64 index | 32 bytes BLAKE3-256 | content (1 byte to the transfer's chunk size)
 *   pack  (0x61)  u32 count | count × (u64 index | u32 length | 32 bytes BLAKE3-256) | contents, one after the other
 *   hole  (0x62)  u64 index
 *
 * Integers are big-endian. `index` counts the chunks of all files of the manifest in order: a file of s bytes has
 * ceil(s / chunkSize) of them, an empty file none. A pack holds whole small files of one chunk each.
 * A hole stands for a chunk that is nothing but zeros; it goes only to a receiver whose `accept` says that it takes them.
 */
import { PeerdError } from '../errors.ts';
import { encodeFrameHeader } from '../frame/codec.ts';
import { frameHeaderBytes, hashBytes, maxChunkSize, packMaxBytes, packMaxFiles } from '../limits.ts';

export const chunkFrameType = 0x60;
export const packFrameType = 0x61;
export const holeFrameType = 0x62;

const chunkHeaderBytes = 8 + hashBytes;
const packItemBytes = 8 + 4 + hashBytes;
export const holeFrameBytes = 8;

export const chunkFrameMaxBytes: number = chunkHeaderBytes + maxChunkSize;
export const packFrameMaxBytes: number = 4 + packMaxFiles * packItemBytes + packMaxBytes;

/** One chunk of one file with its hash. */
export interface Chunk {
  /** Index over the whole transfer. */
  index: number;
  /** 32 bytes. */
  hash: Buffer;
  content: Buffer;
}

/** In a chunk frame: what stands before the content. */
export const chunkContentAt: number = frameHeaderBytes + chunkHeaderBytes;

/** Writes frame header and chunk header in front of the content, which stands at `chunkContentAt`. @returns the frame */
export const completeChunk = (memory: Buffer, index: number, hash: Buffer, contentBytes: number): Buffer => {
  encodeChunkHeader(index, hash, contentBytes).copy(memory);
  return memory.subarray(0, chunkContentAt + contentBytes);
};

/** Frame header and chunk header. */
export const encodeChunkHeader = (index: number, hash: Buffer, contentBytes: number): Buffer => {
  const header = Buffer.allocUnsafe(chunkContentAt);
  header.writeUInt32BE(chunkHeaderBytes + contentBytes, 0);
  header.writeUInt8(chunkFrameType, 4);
  header.writeBigUInt64BE(BigInt(index), 5);
  hash.copy(header, 13, 0, hashBytes);
  return header;
};

/** @throws PeerdError `malformed_frame` */
export const decodeChunk = (payload: Buffer): Chunk => {
  if (payload.length <= chunkHeaderBytes) throw new PeerdError('malformed_frame', 'chunk: no content');
  return { index: readIndex(payload, 0), hash: payload.subarray(8, chunkHeaderBytes), content: payload.subarray(chunkHeaderBytes) };
};

/** A complete pack frame. The caller keeps to `packMaxFiles` and `packMaxBytes`. */
export const encodePack = (chunks: readonly Chunk[]): Buffer[] => {
  const table = Buffer.allocUnsafe(4 + chunks.length * packItemBytes);
  table.writeUInt32BE(chunks.length, 0);
  let contentBytes = 0;
  let offset = 4;
  for (const chunk of chunks) {
    table.writeBigUInt64BE(BigInt(chunk.index), offset);
    table.writeUInt32BE(chunk.content.length, offset + 8);
    chunk.hash.copy(table, offset + 12, 0, hashBytes);
    offset += packItemBytes;
    contentBytes += chunk.content.length;
  }
  return [encodeFrameHeader(packFrameType, table.length + contentBytes), table, ...joined(chunks)];
};

/** Contents that stand one behind the other in memory, as files that were read together do, are one buffer. */
const joined = (chunks: readonly Chunk[]): Buffer[] => {
  const parts: Buffer[] = [];
  for (const { content } of chunks) {
    const last = parts.at(-1);
    if (last !== undefined && last.buffer === content.buffer && last.byteOffset + last.length === content.byteOffset)
      parts[parts.length - 1] = Buffer.from(last.buffer, last.byteOffset, last.length + content.length);
    else parts.push(content);
  }
  return parts;
};

/** @throws PeerdError `malformed_frame` */
export const decodePack = (payload: Buffer): Chunk[] => {
  if (payload.length < 4) throw new PeerdError('malformed_frame', 'pack: no count');
  const count = payload.readUInt32BE(0);
  if (count === 0 || count > packMaxFiles) throw new PeerdError('malformed_frame', `pack: ${count} files, 1 to ${packMaxFiles} are allowed`);
  let content = 4 + count * packItemBytes;
  if (content > payload.length) throw new PeerdError('malformed_frame', 'pack: the table is cut off');
  const chunks: Chunk[] = [];
  for (let offset = 4; chunks.length < count; offset += packItemBytes) {
    const length = payload.readUInt32BE(offset + 8);
    if (length === 0 || length > payload.length - content) throw new PeerdError('malformed_frame', 'pack: a length does not fit the frame');
    chunks.push({
      index: readIndex(payload, offset),
      hash: payload.subarray(offset + 12, offset + packItemBytes),
      content: payload.subarray(content, content + length),
    });
    content += length;
  }
  if (content !== payload.length) throw new PeerdError('malformed_frame', 'pack: bytes after the last file');
  return chunks;
};

/** A complete hole frame. */
export const encodeHole = (index: number): Buffer => {
  const frame = Buffer.allocUnsafe(frameHeaderBytes + holeFrameBytes);
  frame.writeUInt32BE(holeFrameBytes, 0);
  frame.writeUInt8(holeFrameType, 4);
  frame.writeBigUInt64BE(BigInt(index), frameHeaderBytes);
  return frame;
};

/** @returns the index. @throws PeerdError `malformed_frame` */
export const decodeHole = (payload: Buffer): number => {
  if (payload.length !== holeFrameBytes) throw new PeerdError('malformed_frame', `hole: ${payload.length} bytes, ${holeFrameBytes} are allowed`);
  return readIndex(payload, 0);
};

const readIndex = (payload: Buffer, offset: number): number => {
  const index = payload.readBigUInt64BE(offset);
  if (index > BigInt(Number.MAX_SAFE_INTEGER)) throw new PeerdError('malformed_frame', 'a chunk index is too large');
  return Number(index);
};
