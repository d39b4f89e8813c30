/** A control socket as peerd has it: HTTP and server-sent events over a Unix socket, with answers that the test decides. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ControlEvent, controlEventSchema, errorCodes, type ErrorCode, type ErrorDocument } from '@peerd/protocol';

/** A schema of the protocol package. */
interface Schema<T> {
  parse(document: unknown): T;
}

export interface Asked {
  readonly method: string;
  /** Percent-decoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

type Answer = (asked: Asked) => unknown;

/** Throw it in an answer: the error document with its status. */
export class Refusal extends Error {
  readonly document: ErrorDocument;
  readonly status: number;

  constructor(code: ErrorCode | (string & {}), message: string, hint: string | null = null, status = 409, details?: Record<string, unknown>) {
    super(message);
    this.document = { error: { code, message, hint, ...(details === undefined ? {} : { details }) } };
    this.status = status;
  }
}

export interface Streamed {
  write(document: unknown): void;
  /** Resolves when the client has gone away, or the daemon. */
  readonly closed: Promise<void>;
}

export class TestDaemon implements AsyncDisposable {
  readonly asked: Asked[] = [];
  readonly directory: string;
  readonly socket: string;
  readonly #answers = new Map<string, Answer>();
  readonly #lines = new Map<string, (stream: Streamed) => void>();
  readonly #streams = new Set<ServerResponse>();
  readonly #waiters = new Set<() => void>();
  #server: Server | undefined;
  #lastEventId = 0;

  static async start(): Promise<TestDaemon> {
    const daemon = new TestDaemon(await mkdtemp(join(tmpdir(), 'peerctl-')));
    await daemon.listen();
    return daemon;
  }

  constructor(directory: string) {
    this.directory = directory;
    this.socket = join(directory, 'peerd.sock');
  }

  /** The answer must be one that the real daemon may give. */
  on<T>(route: string, schema: Schema<T>, answer: T | ((asked: Asked) => T | Promise<T>)): this {
    this.#answers.set(route, async (asked) => schema.parse(typeof answer === 'function' ? await (answer as (asked: Asked) => T | Promise<T>)(asked) : answer));
    return this;
  }

  refuse(route: string, refusal: Refusal): this {
    this.#answers.set(route, () => {
      throw refusal;
    });
    return this;
  }

  /** The next answer to this route comes line by line, as the test says. */
  stream(route: string): Promise<Streamed> {
    const { promise, resolve } = Promise.withResolvers<Streamed>();
    this.#lines.set(route, resolve);
    return promise;
  }

  async listen(): Promise<void> {
    const server = createServer((request, response) => void this.#serve(request, response));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.socket, resolve));
  }

  /** As when it is killed: connections end, the socket stays. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    this.#streams.clear();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(this.socket, { force: true });
  }

  publish(event: ControlEvent): void {
    controlEventSchema.parse(event);
    this.#lastEventId += 1;
    for (const stream of this.#streams) this.#write(stream, this.#lastEventId, event);
  }

  /** Resolves with the n-th request of this route as soon as it has come. */
  async received(route: string, count = 1): Promise<Asked> {
    for (;;) {
      const matching = this.asked.filter((asked) => `${asked.method} ${asked.path}` === route);
      const last = matching[count - 1];
      if (last) return last;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiters.delete(wake);
          resolve();
        };
        this.#waiters.add(wake);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const text = Buffer.concat(parts).toString();
    const url = new URL(request.url ?? '', 'http://localhost');
    const asked: Asked = {
      method: request.method ?? '',
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      headers: request.headers,
      body: text === '' ? undefined : request.headers['content-type'] === 'application/json' ? (JSON.parse(text) as unknown) : text,
    };
    if (asked.path === '/v1/events') this.#stream(request, response);
    this.asked.push(asked);
    for (const wake of this.#waiters) wake();
    if (asked.path !== '/v1/events') await this.#answer(asked, response);
  }

  #stream(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
    response.write(': peerd\n\n');
    const seen = Number(request.headers['last-event-id'] ?? this.#lastEventId);
    this.#write(response, this.#lastEventId, { kind: seen < this.#lastEventId ? 'reset' : 'hello', lastId: this.#lastEventId });
  }

  #write(stream: ServerResponse, id: number, event: ControlEvent): void {
    stream.write(`id: ${id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`);
  }

  async #answer(asked: Asked, response: ServerResponse): Promise<void> {
    const send = (status: number, body: unknown): void => {
      const text = JSON.stringify(body);
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
    };
    const lines = this.#lines.get(`${asked.method} ${asked.path}`);
    if (lines) {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      const closed = new Promise<void>((resolve) => response.once('close', resolve));
      return lines({ write: (document) => void response.write(`${JSON.stringify(document)}\n`), closed });
    }
    const answer = this.#answers.get(`${asked.method} ${asked.path}`);
    if (!answer) return send(404, new Refusal('not_found', `no route ${asked.method} ${asked.path}`).document);
    try {
      send(200, await answer(asked));
    } catch (error) {
      if (error instanceof Refusal) send(error.status, error.document);
      else send(500, { error: { code: 'internal', message: String(error), hint: errorCodes.internal.summary } });
    }
  }
}
