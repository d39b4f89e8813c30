/** What travels on the data connections of a transfer. */
import { compressedFrameType, decodeCompressed, type Frame, frameHeaderBytes, noTraffic, type Traffic } from '@peerd/protocol';

/** Of one frame that arrived. @throws PeerdError `malformed_frame` */
export const trafficOf = ({ type, payload }: Frame): Traffic => {
  const wireBytes = frameHeaderBytes + payload.length;
  return type === compressedFrameType ? { ...noTraffic, wireBytes, compressed: 1, savedBytes: decodeCompressed(payload).length - payload.length } : { ...noTraffic, wireBytes };
};

export const addedTraffic = (one: Traffic, other: Traffic): Traffic => ({
  wireBytes: one.wireBytes + other.wireBytes,
  compressed: one.compressed + other.compressed,
  savedBytes: one.savedBytes + other.savedBytes,
  tried: one.tried + other.tried,
});
