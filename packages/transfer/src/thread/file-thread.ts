/** A thread for synchronous file system calls, one per operation; it ends with it. */
import { Worker } from 'node:worker_threads';
import type { CallName, Calls, FailedCall, Reply, Request } from './calls.ts';

/** From the sources as from `dist`: string literals are not rewritten by the compiler. */
const entry = import.meta.url.endsWith('.ts') ? new URL('./main.ts', import.meta.url) : new URL('./main.js', import.meta.url);

/** An error that happened in the thread; `code` and `errno` are the operating system's. */
export class FileThreadError extends Error {
  readonly code: string | undefined;
  readonly errno: number | undefined;
  readonly position: number | undefined;

  constructor(failed: FailedCall) {
    super(failed.message);
    this.code = failed.code;
    this.errno = failed.errno;
    this.position = failed.position;
  }
}

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

export class FileThread {
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #waiting: Waiting[] = [];
  #ended: Error | undefined;

  constructor() {
    // Descriptors move between the threads, so none may be closed by the thread's end.
    this.#worker = new Worker(entry, { name: 'peerd-files', trackUnmanagedFds: false, stdin: false });
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#fail(new Error('the file thread has ended'));
        resolve();
      });
    });
    this.#worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on('message', (reply: Reply) => {
      const waiting = this.#waiting.shift();
      if ('result' in reply) waiting?.resolve(reply.result as never);
      else waiting?.reject(new FileThreadError(reply.failed));
    });
  }

  /** Calls run one after the other, so the replies come in order. The caller bounds how many wait. @throws FileThreadError */
  call<K extends CallName>(call: K, input: Calls[K]['in'], transfer: readonly Uint8Array<ArrayBuffer>[] = []): Promise<Calls[K]['out']> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const { promise, resolve, reject } = Promise.withResolvers<Calls[K]['out']>();
    this.#waiting.push({ resolve, reject });
    const request: Request<K> = { call, input };
    this.#worker.postMessage(request, transfer.map((bytes) => bytes.buffer));
    return promise;
  }

  /** Lets the calls under way finish. Idempotent. */
  async close(): Promise<void> {
    if (this.#ended === undefined) this.#worker.postMessage(null);
    await this.#exited;
  }

  #fail(error: Error): void {
    this.#ended ??= error;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#ended);
  }
}
