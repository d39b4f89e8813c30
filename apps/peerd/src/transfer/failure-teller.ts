/** Tells the receiver which entries don't come, in order and only as fast as the link takes it. */
import { encodeMessage, entryFailed, type TransferId } from '@peerd/protocol';
import type { Link } from '../peer/ports.ts';
import { abortable } from './abortable.ts';
import { clipped } from './ends.ts';
import type { Failure } from './store.ts';

export class FailureTeller {
  readonly #link: Link;
  readonly #transfer: TransferId;
  readonly #untold: Failure[] = [];
  #telling: Promise<void> | undefined;

  constructor(link: Link, transfer: TransferId) {
    this.#link = link;
    this.#transfer = transfer;
  }

  tell(failure: Failure): void {
    this.#untold.push(failure);
    this.#telling ??= this.#run();
  }

  /** Resolves when everything was said. @throws the reason of the link's end or of `signal` */
  async done(signal: AbortSignal): Promise<void> {
    if (this.#telling) await abortable(this.#telling, signal);
    this.#link.signal.throwIfAborted();
  }

  async #run(): Promise<void> {
    try {
      for (let next = 0; next < this.#untold.length; next += 1) {
        const failure = this.#untold[next];
        if (failure) await this.#link.send(encodeMessage(entryFailed, { transfer: this.#transfer, entry: failure.entry, code: failure.code, message: clipped(failure.message) }));
      }
    } catch {
      // The link ended; `done` says so.
    }
    this.#untold.length = 0;
    this.#telling = undefined;
  }
}
