import assert from 'node:assert/strict';
import { chunkFrameType, completeChunk, chunkContentAt, decodeChunk, decodeHole, decodePack, encodeHole, encodePack, frameHeaderBytes, holeFrameType, packFrameType } from '@peerd/protocol';
import type { FuzzTarget } from '../engine/target.ts';
import { unlessRefused } from './support.ts';

const chunk = (index: number, content: string) => ({ index, hash: Buffer.alloc(32, index), content: Buffer.from(content) });

/** The payload as it would be written again. */
const again = (type: number, payload: Buffer): Buffer | undefined => {
  if (type === chunkFrameType) {
    const decoded = decodeChunk(payload);
    const memory = Buffer.alloc(chunkContentAt + decoded.content.length);
    decoded.content.copy(memory, chunkContentAt);
    return completeChunk(memory, decoded.index, decoded.hash, decoded.content.length).subarray(frameHeaderBytes);
  }
  if (type === packFrameType) return Buffer.concat(encodePack(decodePack(payload))).subarray(frameHeaderBytes);
  return type === holeFrameType ? encodeHole(decodeHole(payload)).subarray(frameHeaderBytes) : undefined;
};

/** The type byte, and the payload. */
export const bulkFrames: FuzzTarget = {
  name: 'bulk-frames',
  seeds: [
    Buffer.concat([Buffer.of(chunkFrameType), Buffer.alloc(40, 1), Buffer.from('content')]),
    Buffer.concat([Buffer.of(packFrameType), Buffer.concat(encodePack([chunk(1, 'a'), chunk(2, 'bc')])).subarray(frameHeaderBytes)]),
    encodeHole(5).subarray(frameHeaderBytes - 1),
  ],
  run: (input) => {
    const payload = input.subarray(1);
    const written = unlessRefused(() => again(input[0] ?? 0, payload), 'malformed_frame');
    if (written !== undefined) assert(written.equals(payload), 'what was read is not what came');
  },
};
