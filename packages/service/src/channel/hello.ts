/** The `hello` exchange that opens every channel. */
import {
  close as closeMessage, decodeMessage, encodeMessage, errorCodes, type Frame, handshakeMessages, handshakeTimeoutMs, type Hello, hello, isErrorCode,
  PeerdError, protocolVersions,
} from '@peerd/protocol';
import type { Channel } from './channel.ts';

/** A channel after `hello`: the frames that follow, the other side's hello, and the version both use. */
export interface Greeted {
  readonly hello: Hello;
  readonly version: number;
  readonly frames: AsyncGenerator<Frame, void, void>;
}

/** Dialling side: says hello first, then waits for the answer. @throws PeerdError; the channel is ended then */
export const greet = async (channel: Channel, mine: Hello, signal: AbortSignal): Promise<Greeted> => {
  channel.send(encodeMessage(hello, mine));
  return receive(channel, signal, handshakeTimeoutMs);
};

/**
 * Listening side: reads the hello of the other one. The caller decides, then answers with `answer` or closes.
 * The listener's handshake timer bounds the time.
 */
export const awaitHello = (channel: Channel, signal: AbortSignal): Promise<Greeted> => receive(channel, signal, handshakeTimeoutMs);

export const answerHello = (channel: Channel, mine: Hello): void => {
  channel.send(encodeMessage(hello, mine));
};

/** What a `close` message of the other side means as an error of ours. */
export const closeReason = (payload: Uint8Array): PeerdError => {
  const body = decodeMessage(closeMessage, payload);
  const code = isErrorCode(body.code) ? body.code : 'internal';
  const details = body.retryAfterMs === undefined ? {} : { details: { retryAfterMs: body.retryAfterMs } };
  return new PeerdError(code, body.message === '' ? errorCodes[code].summary : body.message, details);
};

const receive = async (channel: Channel, signal: AbortSignal, timeoutMs: number): Promise<Greeted> => {
  const frames = channel.frames();
  const late = new PeerdError('handshake_timeout', 'the other side did not say hello in time');
  const onAbort = (): void => channel.destroy(signal.reason instanceof PeerdError ? signal.reason : new PeerdError('disconnected', 'given up'));
  const timer = setTimeout(() => channel.destroy(late), timeoutMs);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal.aborted) onAbort();
    const { value: frame } = await frames.next();
    if (!frame) throw (channel.signal.reason as Error | undefined) ?? new PeerdError('link_lost', 'the connection ended before hello');
    if (frame.type === closeMessage.type) throw closeReason(frame.payload);
    const message = handshakeMessages.read(frame);
    if (message?.kind !== 'hello') throw new PeerdError('unexpected_message', `expected hello, got frame type ${frame.type}`);
    const version = Math.max(...message.body.versions.filter((candidate) => protocolVersions.includes(candidate)));
    if (!Number.isFinite(version))
      throw new PeerdError('version_unsupported', `the other side (${message.body.agent}) speaks versions ${message.body.versions.join(', ')}, this one ${protocolVersions.join(', ')}`);
    return { hello: message.body, version, frames };
  } catch (error) {
    const reason = error instanceof PeerdError ? error : new PeerdError('internal', String(error), { cause: error });
    if (!channel.signal.aborted) void channel.close(reason);
    throw reason;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
};
