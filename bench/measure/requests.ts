/** Requests to a control socket over one kept connection, and how long each takes. */
import { Agent, request } from 'node:http';

const answerMs = 60_000;

export class ControlClient implements Disposable {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** @throws Error when the answer is not 200 */
  async call<Answer>(method: 'GET' | 'POST', path: string, body?: object): Promise<{ answer: Answer; ms: number }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ answer: Answer; ms: number }>();
    const text = body === undefined ? undefined : JSON.stringify(body);
    const started = performance.now();
    const outgoing = request(
      {
        socketPath: this.#socketPath, method, path, agent: this.#agent, signal: AbortSignal.timeout(answerMs),
        headers: { host: 'localhost', ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }) },
      },
      (response) => {
        let received = '';
        response.setEncoding('utf8').on('data', (part: string) => (received += part));
        response.on('error', reject);
        response.on('end', () => {
          const ms = performance.now() - started;
          if (response.statusCode !== 200) return reject(new Error(`${method} ${path}: ${response.statusCode} ${received.slice(0, 300)}`));
          resolve({ answer: JSON.parse(received) as Answer, ms });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(text);
    return promise;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
