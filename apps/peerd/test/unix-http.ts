/** JSON over HTTP/1.1 on a Unix socket. */
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { text as readText } from 'node:stream/consumers';

export interface Response<Body = Record<string, unknown>> {
  readonly status: number;
  readonly body: Body;
}

/** A request whose answer is not waited for yet. */
export const send = (socket: string, method: string, path: string, body?: unknown): ClientRequest => {
  const sent = request({ socketPath: socket, method, path, agent: false, headers: body === undefined ? {} : { 'content-type': 'application/json' } });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  return sent;
};

export const answered = async (sent: ClientRequest): Promise<IncomingMessage> => {
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
};

export const call = async <Body = Record<string, unknown>>(socket: string, method: string, path: string, body?: unknown): Promise<Response<Body>> => {
  const response = await answered(send(socket, method, path, body));
  return { status: response.statusCode ?? 0, body: JSON.parse(await readText(response)) as Body };
};
