/** One HTTP/1.1 request over the control socket. `node:http` is used as it is: it starts faster than any library on it. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Call } from './call.ts';
import { notAnswered, unreachable } from './unreachable.ts';

/** Resolves with the response as soon as its head is there. */
export const open = async (socket: string, options: Call & { readonly headers?: Record<string, string> }): Promise<IncomingMessage> => {
  options.signal.throwIfAborted();
  return await new Promise((resolve, reject) => {
    const payload = options.body === undefined ? undefined : Buffer.from(JSON.stringify(options.body));
    const request = httpRequest({
      socketPath: socket,
      method: options.method,
      path: options.path,
      agent: false,
      signal: options.signal,
      headers: {
        host: 'localhost',
        accept: 'application/json',
        ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': payload.byteLength }),
        ...options.headers,
      },
    });
    const { deadlineMs } = options;
    if (deadlineMs !== undefined)
      request.setTimeout(deadlineMs, () => request.destroy(notAnswered(socket, deadlineMs)));
    request.once('response', resolve);
    request.on('error', (error) => reject(options.signal.aborted ? (options.signal.reason as Error) : unreachable(socket, error)));
    request.end(payload);
  });
};
