/** One question to peerd and its answer as JSON. */
import type { IncomingMessage } from 'node:http';
import { PeerdError } from '@peerd/protocol/errors';
import { DaemonError, type Failure } from './failure.ts';
import { type Answer, quickGet } from './quick-get.ts';
import { notPeerd, unreachable } from './unreachable.ts';

export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With the query, percent-encoded. */
  readonly path: string;
  readonly body?: unknown;
  readonly signal: AbortSignal;
  /** Silence after which the daemon counts as hung; without it a call waits for as long as the daemon works on it. */
  readonly deadlineMs?: number;
}

/** The largest answer is a page of 10,000 files with paths of up to 64 KiB each; most are far below. */
const maxAnswerBytes = 256 * 1024 * 1024;

/** @throws PeerdError `daemon_unreachable`, the signal's reason; DaemonError */
export const call = async (socket: string, options: Call): Promise<unknown> => {
  return accepted(socket, (await quick(socket, options)) ?? (await ask(socket, options)));
};

/** The whole of an answer whose head is there. @throws as `call` */
export const settle = async (socket: string, response: IncomingMessage, signal: AbortSignal): Promise<unknown> =>
  accepted(socket, { status: response.statusCode ?? 0, text: await readAll(socket, response, signal) });

const accepted = (socket: string, { status, text }: Answer): unknown => {
  const body = parse(socket, text);
  if (status >= 200 && status < 300) return body;
  throw new DaemonError(failureIn(body) ?? { code: 'internal', message: `peerd answered with HTTP status ${status}`, hint: null });
};

const quick = async (socket: string, { method, path, signal, deadlineMs }: Call): Promise<Answer | undefined> =>
  method === 'GET' && deadlineMs !== undefined ? await quickGet(socket, { path, signal, deadlineMs, maxBytes: maxAnswerBytes }) : undefined;

const ask = async (socket: string, options: Call): Promise<Answer> => {
  const { open } = await import('./request.ts');
  const response = await open(socket, options);
  return { status: response.statusCode ?? 0, text: await readAll(socket, response, options.signal) };
};

const readAll = async (socket: string, response: IncomingMessage, signal: AbortSignal): Promise<string> => {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
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
