/** One question to peerd and its answer as JSON. */
import { PeerdError } from '@peerd/protocol/errors';
import { DaemonError, type Failure } from './failure.ts';
import { type Answer, type Call, open } from './request.ts';
import { notPeerd, unreachable } from './unreachable.ts';

/** The largest answer is a page of 10,000 files with paths of up to 64 KiB each; most are far below. */
const maxAnswerBytes = 256 * 1024 * 1024;

/** @throws PeerdError `daemon_unreachable`, the signal's reason; DaemonError */
export const call = async (socket: string, options: Call): Promise<unknown> => settle(socket, await open(socket, options), options.signal);

/** The whole of an answer whose head is there. @throws as `call` */
export const settle = async (socket: string, { status, body }: Pick<Answer, 'status' | 'body'>, signal: AbortSignal): Promise<unknown> => {
  const document = parse(socket, await readAll(socket, body, signal));
  if (status >= 200 && status < 300) return document;
  throw new DaemonError(failureIn(document) ?? { code: 'internal', message: `peerd answered with HTTP status ${status}`, hint: null });
};

const readAll = async (socket: string, body: AsyncIterable<Buffer>, signal: AbortSignal): Promise<string> => {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of body) {
      bytes += part.byteLength;
      if (bytes > maxAnswerBytes) throw new PeerdError('internal', `peerd's answer is larger than ${maxAnswerBytes} bytes`, { hint: 'Ask for fewer entries with --limit.' });
      parts.push(part);
    }
  } catch (error) {
    throw signal.aborted ? (signal.reason as Error) : unreachable(socket, error as Error);
  }
  return Buffer.concat(parts).toString('utf8');
};

const parse = (socket: string, text: string): unknown => {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw notPeerd(socket);
  }
};

/** The error of an error document, or `undefined` if the body is something else. */
const failureIn = (body: unknown): Failure | undefined => {
  const error = (body as { error?: Partial<Failure> } | undefined)?.error;
  if (typeof error?.code !== 'string' || typeof error.message !== 'string') return undefined;
  const { code, message, hint, details } = error;
  return { code, message, hint: typeof hint === 'string' ? hint : null, ...(details === undefined ? {} : { details }) };
};
