/**
 * Bulk frame of a data connection that stands for another one.
 *
 *   compressed (0x63)  u8 type of that frame (chunk or pack) | u32 length of its payload | its payload as one zstd frame (RFC 8878)
 *
 * It goes only to a receiver whose `accept` says that it takes them, and only where it is shorter. Hashes are of the plain content.
 */
import { PeerdError } from '../errors.ts';
import { frameHeaderBytes, MiB } from '../limits.ts';
import { chunkFrameMaxBytes, chunkFrameType, packFrameMaxBytes, packFrameType } from './chunk.ts';

export const compressedFrameType = 0x63;
/** Before the zstd frame. */
const compressedHeaderBytes = 5;
/** No longer than what it stands for. */
export const compressedFrameMaxBytes: number = Math.max(chunkFrameMaxBytes, packFrameMaxBytes);
/** A zstd frame may ask its reader for a window of so many bytes at most: what a chunk of the largest size needs. */
export const zstdMaxWindowBytes: number = 8 * MiB;

const plainMaxBytes: ReadonlyMap<number, number> = new Map([
  [chunkFrameType, chunkFrameMaxBytes],
  [packFrameType, packFrameMaxBytes],
]);

export interface Compressed {
  /** Of the frame that it stands for. */
  readonly type: number;
  /** Bytes of the payload of that frame. */
  readonly length: number;
  /** The zstd frame. */
  readonly content: Buffer;
}

/** A frame may stand in a compressed one. */
export const isCompressible = (type: number): boolean => plainMaxBytes.has(type);

/** What stands before the zstd frame. */
const compressedContentAt: number = frameHeaderBytes + compressedHeaderBytes;

/** Frame header, and what the frame says of itself. */
export const encodeCompressedHeader = (type: number, length: number, contentBytes: number): Buffer => {
  const header = Buffer.allocUnsafe(compressedContentAt);
  header.writeUInt32BE(compressedHeaderBytes + contentBytes, 0);
  header.writeUInt8(compressedFrameType, 4);
  header.writeUInt8(type, frameHeaderBytes);
  header.writeUInt32BE(length, frameHeaderBytes + 1);
  return header;
};

/** What the frame says of itself, so that nothing is expanded beyond it. @throws PeerdError `malformed_frame` */
export const decodeCompressed = (payload: Buffer): Compressed => {
  if (payload.length <= compressedHeaderBytes) throw new PeerdError('malformed_frame', 'compressed: no content');
  const type = payload.readUInt8(0);
  const length = payload.readUInt32BE(1);
  const bound = plainMaxBytes.get(type);
  if (bound === undefined) throw new PeerdError('malformed_frame', `compressed: a frame of type ${type} is not compressed`);
  if (length > bound) throw new PeerdError('malformed_frame', `compressed: stands for ${length} bytes, at most ${bound} are allowed`);
  if (length <= payload.length) throw new PeerdError('malformed_frame', `compressed: ${payload.length} bytes stand for ${length}`);
  return { type, length, content: payload.subarray(compressedHeaderBytes) };
};
