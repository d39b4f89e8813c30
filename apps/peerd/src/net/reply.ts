import type { Channel } from '@peerd/service';

/** Answers that may wait for a side that does not read. */
const maxQueuedBytes = 1 << 20;

/** Sends an answer that the other side provoked. One that asks and never reads gets no more of them: its queue is bounded. */
export const reply = (channel: Channel, frame: Buffer): void => {
  if (channel.queuedBytes < maxQueuedBytes) channel.send(frame);
};
