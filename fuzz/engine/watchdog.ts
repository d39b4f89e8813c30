/**
 * Finds the input that never ends, busy or waiting. A thread of its own looks whether the one that runs is still the same as a while ago; then
 * it stores the input and ends the process, since nobody can take back a thread that is busy.
 */
import { writeSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { writeInput } from './corpus.ts';
import type { FuzzTarget } from './target.ts';

/** Milliseconds that one input may take. What takes seconds of processor time is a finding of the search itself. */
const maxMs = 30_000;
const checkEveryMs = 1_000;

/** Begins and ends of inputs so far (odd: one runs), and the length of the last one; its bytes stand behind them. */
const turnsAt = 0;
const lengthAt = 1;
const headerBytes = 8;

interface Watched {
  readonly memory: SharedArrayBuffer;
  readonly name: string;
  readonly directory: string;
}

export class Watchdog implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #header: Int32Array;
  readonly #bytes: Uint8Array;

  /** @param maxBytes of an input @param directory where the input is stored that never ends */
  constructor(name: string, maxBytes: number, directory: string) {
    const memory = new SharedArrayBuffer(headerBytes + maxBytes);
    this.#header = new Int32Array(memory, 0, 2);
    this.#bytes = new Uint8Array(memory, headerBytes);
    this.#worker = new Worker(new URL(import.meta.url), { workerData: { memory, name, directory } satisfies Watched });
  }

  /** The same target, whose inputs are watched. */
  watched(target: FuzzTarget): FuzzTarget {
    return {
      ...target,
      run: async (input) => {
        this.#begins(input);
        try {
          await target.run(input);
        } finally {
          Atomics.add(this.#header, turnsAt, 1);
        }
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  #begins(input: Uint8Array): void {
    const length = Math.min(input.length, this.#bytes.length);
    this.#bytes.set(input.subarray(0, length));
    Atomics.store(this.#header, lengthAt, length);
    Atomics.add(this.#header, turnsAt, 1);
  }
}

const watch = ({ memory, name, directory }: Watched): void => {
  const header = new Int32Array(memory, 0, 2);
  let last = 0;
  let since = performance.now();
  setInterval(() => {
    const turns = Atomics.load(header, turnsAt);
    if (turns !== last) [last, since] = [turns, performance.now()];
    else if (turns % 2 !== 0 && performance.now() - since > maxMs) {
      const path = writeInput(directory, Buffer.from(new Uint8Array(memory, headerBytes, header[lengthAt])));
      // Written here: the streams of this thread go through the one that is busy.
      writeSync(2, `${name}: an input does not end\n  stored; again: pnpm fuzz ${name} --replay ${path}\n`);
      process.kill(process.pid, 'SIGKILL');
    }
  }, checkEveryMs);
};

if (!isMainThread) watch(workerData as Watched);
