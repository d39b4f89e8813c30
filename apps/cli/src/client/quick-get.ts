/**
 * A GET whose answer comes in one piece, without `node:http`: loading that takes as long as everything else that a quick
 * command does (figures in ARCHITECTURE.md).
 */
import { connect, type Socket } from 'node:net';
import { notAnswered, notPeerd, unreachable } from './unreachable.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface QuickGet {
  /** With the query, percent-encoded. */
  readonly path: string;
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
  readonly maxBytes: number;
}

/** `undefined`: a whole HTTP client has to ask again. @throws PeerdError `daemon_unreachable`, the signal's reason */
export const quickGet = async (path: string, options: QuickGet): Promise<Answer | undefined> => {
  options.signal.throwIfAborted();
  const socket = connect(path);
  const onAbort = (): void => void socket.destroy(options.signal.reason as Error);
  options.signal.addEventListener('abort', onAbort, { once: true });
  socket.setTimeout(options.deadlineMs, () => socket.destroy(notAnswered(path, options.deadlineMs)));
  try {
    socket.write(`GET ${options.path} HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\nconnection: close\r\n\r\n`);
    const received = await readToEnd(socket, options.maxBytes);
    return received && parseAnswer(path, received);
  } catch (error) {
    throw options.signal.aborted ? (options.signal.reason as Error) : unreachable(path, error as Error);
  } finally {
    options.signal.removeEventListener('abort', onAbort);
    socket.destroy();
  }
};

/** `undefined`: more than `maxBytes`. */
const readToEnd = async (socket: Socket, maxBytes: number): Promise<Buffer | undefined> => {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of socket as AsyncIterable<Buffer>) {
    parts.push(part);
    bytes += part.byteLength;
    if (bytes > maxBytes) return undefined;
  }
  return Buffer.concat(parts);
};

const parseAnswer = (path: string, received: Buffer): Answer | undefined => {
  const end = received.indexOf('\r\n\r\n');
  const head = received.toString('latin1', 0, Math.max(0, end));
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1];
  if (status === undefined) throw received.length === 0 ? Object.assign(new Error('no answer'), { code: 'ECONNRESET' }) : notPeerd(path);
  const length = /\r\ncontent-length: *(\d+) *(?:\r\n|$)/i.exec(head)?.[1];
  if (length === undefined || /\r\n(?:transfer|content)-encoding:/i.test(head)) return undefined;
  const body = received.subarray(end + 4);
  if (body.length < Number(length)) throw Object.assign(new Error('an incomplete answer'), { code: 'ECONNRESET' });
  return { status: Number(status), text: body.toString('utf8', 0, Number(length)) };
};
