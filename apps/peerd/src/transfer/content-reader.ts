/** Reads one data connection into the receiver of a transfer. */
import { type Frame, PeerdError, type Traffic } from '@peerd/protocol';
import type { Receiver, StageClock } from '@peerd/transfer';
import type { DataConnection } from '../peer/ports.ts';
import { trafficOf } from './traffic.ts';

export interface ContentReading {
  /** The time in which nothing comes counts as `socket`. */
  readonly clock: StageClock;
  readonly onFrame: (traffic: Traffic) => void;
}

/** @returns why the content can't be taken, or `undefined` when the stream ended or the connection was lost */
export const readContent = async (connection: DataConnection, receiver: Receiver, { clock, onFrame }: ContentReading): Promise<unknown> => {
  const frames = connection.frames(receiver.chunkSize)[Symbol.asyncIterator]();
  for (;;) {
    let next: Awaited<ReturnType<typeof frames.next>>;
    try {
      next = await clock.time('socket', () => frames.next());
    } catch (error) {
      // A broken frame is the sender's fault; everything else is the connection's, and the sender goes on over another one.
      return error instanceof PeerdError && (error.code === 'frame_too_large' || error.code === 'malformed_frame') ? error : undefined;
    }
    if (next.done === true) return undefined;
    let traffic: Traffic;
    try {
      traffic = await taken(next.value, receiver);
    } catch (error) {
      connection.destroy(error instanceof PeerdError ? error : new PeerdError('io_error', 'the content cannot be stored', { cause: error }));
      return error;
    }
    onFrame(traffic);
  }
};

/** The receiver releases the frame, whatever becomes of it. */
const taken = async (frame: Frame, receiver: Receiver): Promise<Traffic> => {
  let traffic: Traffic;
  try {
    traffic = trafficOf(frame);
  } catch (error) {
    frame.release?.();
    throw error;
  }
  await receiver.frame(frame);
  return traffic;
};
