/** The frame that a compressed one stands for. */
import { chunkContentAt, chunkFrameType, compressedFrameType, decodeCompressed, type Frame, frameHeaderBytes, PeerdError } from '@peerd/protocol';
import type { StageClock } from '../stage-clock.ts';
import { expand } from '../zstd.ts';

const chunkHeaderBytes = chunkContentAt - frameHeaderBytes;

/**
 * Other frames are returned as they are. Nothing is expanded beyond a chunk of this transfer, or a pack.
 *
 * @throws PeerdError `malformed_frame`
 */
export const expanded = async (frame: Frame, chunkSize: number, stages: StageClock): Promise<Frame> => {
  if (frame.type !== compressedFrameType) return frame;
  const { type, length, content } = decodeCompressed(frame.payload);
  if (type === chunkFrameType && length > chunkHeaderBytes + chunkSize) throw new PeerdError('malformed_frame', `compressed: stands for ${length} bytes, a chunk of this transfer has ${chunkHeaderBytes + chunkSize} at most`);
  const { bytes, release } = await stages.time('compress', () => expand(content, length));
  // Its room is for both of them.
  return {
    type,
    payload: bytes,
    release: () => {
      release();
      frame.release?.();
    },
  };
};
