/**
 * A thread for the synchronous file system calls of one operation. Starting one takes 40 ms and more, so a thread whose
 * operations are over waits for the next one, without keeping the process alive: one of them for ever, others for a while. One
 * takes 14 MiB, and peers decide how many operations there are, so beyond a few threads operations share them.
 */
import { Worker } from 'node:worker_threads';
import { PeerdError } from '@peerd/protocol';
import type { CallName, Calls, EndRequest, FailedCall, Reply, Request } from './calls.ts';

/** From the sources as from `dist`: string literals are not rewritten by the compiler. */
const entry = import.meta.url.endsWith('.ts') ? new URL('./main.ts', import.meta.url) : new URL('./main.js', import.meta.url);

const maxThreads = 8;
const keptIdle = 3;
const idleMs = 10_000;
/** What it works on comes in batches of a few MiB: a larger heap would only put off collecting garbage. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 };

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

/** The worker, its operations, and the calls it has not answered yet. It answers in order. */
class Connection {
  readonly worker: Worker;
  operations = 0;
  readonly #waiting: Waiting[] = [];
  #ended: Error | undefined;
  #served = false;

  constructor() {
    // Descriptors move between the threads, so none may be closed by the thread's end.
    this.worker = new Worker(entry, { name: 'peerd-files', trackUnmanagedFds: false, resourceLimits });
    this.worker.once('exit', () => this.#end(new Error('the file thread has ended')));
    this.worker.on('error', (error) => this.#end(this.#served ? toError(error) : notStarted(error)));
    this.worker.on('message', (reply: Reply) => {
      this.#served = true;
      const waiting = this.#waiting.shift();
      if ('result' in reply) waiting?.resolve(reply.result as never);
      else waiting?.reject(new FileThreadError(reply.failed));
    });
  }

  call<K extends CallName>(request: Request<K>, transfer: readonly Uint8Array<ArrayBuffer>[]): Promise<Calls[K]['out']> {
    return this.#ask(request, transfer);
  }

  end(operation: number): Promise<void> {
    return this.#ask({ operation, call: 'end' }, []);
  }

  #ask<Result>(request: Request | EndRequest, transfer: readonly Uint8Array<ArrayBuffer>[]): Promise<Result> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.worker.postMessage(request, transfer.map((bytes) => bytes.buffer));
      this.#waiting.push({ resolve, reject });
    });
  }

  #end(error: Error): void {
    forget(this);
    this.#ended ??= error;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#ended);
  }
}

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** It opens its own modules first, which may be too many files, and Node says so in many ways. */
const notStarted = (cause: unknown): PeerdError =>
  new PeerdError('io_error', `the thread for files could not be started: ${toError(cause).message}`, { cause, hint: 'peerd may open too few files, or has too little memory: raise its limits (LimitNOFILE), then try again.' });

/** All that live, those without an operation with the time at which they end. */
const connections = new Map<Connection, NodeJS.Timeout | undefined>();

/** It is of no use to anybody any more. */
const forget = (connection: Connection): void => {
  clearTimeout(connections.get(connection));
  connections.delete(connection);
};

const end = (connection: Connection): void => {
  forget(connection);
  void connection.worker.terminate();
};

const idle = (): Connection[] => [...connections.keys()].filter(({ operations }) => operations === 0);

/** An idle one, a new one, or the one with the fewest operations. */
const take = (): Connection => {
  const leastBusy = [...connections.keys()].toSorted((one, other) => one.operations - other.operations)[0];
  const connection = leastBusy && (leastBusy.operations === 0 || connections.size >= maxThreads) ? leastBusy : new Connection();
  clearTimeout(connections.get(connection));
  connections.set(connection, undefined);
  if (connection.operations === 0) connection.worker.ref();
  connection.operations += 1;
  return connection;
};

const give = (connection: Connection): void => {
  connection.operations -= 1;
  if (connection.operations > 0) return;
  if (!connections.has(connection) || idle().length > keptIdle) return end(connection);
  connection.worker.unref();
  const endUnlessLast = (): void => {
    if (idle().length > 1) end(connection);
  };
  connections.set(connection, setTimeout(endUnlessLast, idleMs).unref());
};

let operations = 0;

export class FileThread {
  readonly #connection = take();
  readonly #operation = (operations += 1);
  #closing: Promise<void> | undefined;

  /** Calls run one after the other. The caller bounds how many wait. @throws FileThreadError */
  call<K extends CallName>(call: K, input: Calls[K]['in'], transfer: readonly Uint8Array<ArrayBuffer>[] = []): Promise<Calls[K]['out']> {
    if (this.#closing !== undefined) return Promise.reject(new Error('the file thread was closed'));
    return this.#connection.call({ operation: this.#operation, call, input }, transfer);
  }

  /** Lets the calls under way finish and closes what they opened. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#release();
    return this.#closing;
  }

  async #release(): Promise<void> {
    try {
      await this.#connection.end(this.#operation);
    } catch {
      // The thread has ended, or could not close something: it serves nobody any more once the others are done.
      forget(this.#connection);
    } finally {
      give(this.#connection);
    }
  }
}
