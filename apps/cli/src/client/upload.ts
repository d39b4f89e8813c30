/** A request whose body comes as it is made, no faster than the daemon stores it. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { settle } from './call.ts';
import { unreachable } from './unreachable.ts';

export interface UploadOptions {
  /** With the query, percent-encoded. */
  readonly path: string;
  readonly type: string;
  readonly content: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

/** No deadline: what is read may come slowly. @throws PeerdError `daemon_unreachable`, the signal's reason, errors of the content; DaemonError */
export const upload = async (socket: string, { path, type, content, signal }: UploadOptions): Promise<unknown> => {
  signal.throwIfAborted();
  const request = httpRequest({ socketPath: socket, method: 'POST', path, agent: false, signal, headers: { host: 'localhost', accept: 'application/json', 'content-type': type, connection: 'keep-alive' } });
  const answered = Promise.withResolvers<IncomingMessage>();
  request.once('response', answered.resolve);
  request.on('error', (error) => answered.reject(signal.aborted ? (signal.reason as Error) : unreachable(socket, error)));
  // Looked at in the loop below, and at its end.
  answered.promise.catch(() => {});
  const parts = content[Symbol.asyncIterator]();
  try {
    for (;;) {
      // A refusal comes before the end of the content.
      const next = await Promise.race([parts.next(), answered.promise.then(() => 'answered' as const)]);
      if (next === 'answered' || next.done === true) break;
      if (!request.write(next.value)) await Promise.race([new Promise((resolve) => request.once('drain', resolve)), answered.promise]);
    }
    request.end();
    const response = await answered.promise;
    return await settle(socket, { status: response.statusCode ?? 0, body: response as AsyncIterable<Buffer> }, signal);
  } finally {
    request.destroy();
    // What still waits for input must not keep the command waiting.
    parts.return?.().catch(() => {});
  }
};
