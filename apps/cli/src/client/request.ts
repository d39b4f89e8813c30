/**
 * One HTTP/1.1 request over the control socket, without `node:http`: loading that takes as long as everything else that a
 * quick command does (figures in ARCHITECTURE.md).
 */
import { connect, type Socket } from 'node:net';
import { AnswerDecoder, NoHttpAnswer } from './answer-decoder.ts';
import { notAnswered, notPeerd, unreachable } from './unreachable.ts';

export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With the query, percent-encoded. */
  readonly path: string;
  readonly body?: unknown;
  readonly signal: AbortSignal;
  /** Silence after which the daemon counts as hung; without it a call waits for as long as the daemon works on it. */
  readonly deadlineMs?: number;
}

export interface Answer {
  readonly status: number;
  /** To be read or destroyed, or the process stays alive. @throws PeerdError `daemon_unreachable`, the signal's reason */
  readonly body: AsyncIterable<Buffer>;
  destroy(): void;
}

/** Resolves as soon as the head of the answer is there. @throws PeerdError `daemon_unreachable`, the signal's reason */
export const open = async (path: string, options: Call & { readonly headers?: Readonly<Record<string, string>> }): Promise<Answer> => {
  const { signal, deadlineMs } = options;
  signal.throwIfAborted();
  const payload = options.body === undefined ? undefined : Buffer.from(JSON.stringify(options.body));
  const head = headOf(options, payload);
  const socket = connect(path);
  const onAbort = (): void => void socket.destroy(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  socket.once('close', () => signal.removeEventListener('abort', onAbort));
  if (deadlineMs !== undefined) socket.setTimeout(deadlineMs, () => socket.destroy(notAnswered(path, deadlineMs)));
  socket.write(payload === undefined ? head : Buffer.concat([Buffer.from(head, 'latin1'), payload]));
  const decoder = new AnswerDecoder();
  const pieces = decoded(socket, decoder, path, signal);
  await pieces.next();
  if (decoder.status === undefined) throw notPeerd(path);
  return { status: decoder.status, body: pieces, destroy: () => void socket.destroy() };
};

const headOf = ({ method, path, headers = {} }: Parameters<typeof open>[1], payload: Buffer | undefined): string => {
  const fields = {
    host: 'localhost',
    accept: 'application/json',
    connection: 'close',
    ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': payload.byteLength }),
    ...headers,
  };
  return `${method} ${path} HTTP/1.1\r\n${Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
};

/** First an empty piece when the head is there; then the body. */
async function* decoded(socket: Socket, decoder: AnswerDecoder, path: string, signal: AbortSignal): AsyncGenerator<Buffer, void, void> {
  let isHeadTold = false;
  try {
    for await (const part of socket as AsyncIterable<Buffer>) {
      const pieces = decoder.push(part);
      if (!isHeadTold && decoder.status !== undefined) {
        isHeadTold = true;
        yield Buffer.alloc(0);
      }
      yield* pieces;
      if (decoder.ended) return;
    }
    if (!decoder.end()) throw Object.assign(new Error('an incomplete answer'), { code: 'ECONNRESET' });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error instanceof NoHttpAnswer ? notPeerd(path, error) : unreachable(path, error as Error);
  } finally {
    socket.destroy();
  }
}
