/** Messages that are events of a machine as they are; the others need the transfer's files or record first. */
import type { ReceiverEvent, SenderEvent, TransferMessage } from '@peerd/protocol';
import { saidCancel, saidEnd } from './ends.ts';

/** What the sender said. */
export const saidToReceiver = (message: TransferMessage): ReceiverEvent | undefined => {
  switch (message.kind) {
    case 'offer':
      return { type: 'offer', paused: message.body.paused ?? false };
    case 'pause':
      return { type: 'pause', paused: message.body.paused };
    case 'pause-ack':
    case 'receipt-ack':
      return { type: message.kind };
    case 'cancel':
      return { type: 'cancel', end: saidCancel(message.body, 'sender') };
    case 'failed':
      return { type: 'failed', end: saidEnd(message.body) };
    default:
      return undefined;
  }
};

/** What the receiver said. @param offerRoot of what was offered */
export const saidToSender = (message: TransferMessage, offerRoot: Uint8Array): SenderEvent | undefined => {
  switch (message.kind) {
    case 'manifest-request':
      return { type: 'manifest-request', fromPage: message.body.fromPage };
    case 'accept':
      return { type: 'accept', matches: Buffer.compare(message.body.offerRoot, offerRoot) === 0 };
    case 'have':
      return { type: 'have', page: message.body };
    case 'pause':
      return { type: 'pause', paused: message.body.paused };
    case 'offered':
    case 'pause-ack':
      return { type: message.kind };
    case 'reject':
    case 'failed':
      return { type: message.kind, end: saidEnd(message.body) };
    case 'cancel':
      return { type: 'cancel', end: saidCancel(message.body, 'receiver') };
    default:
      return undefined;
  }
};
