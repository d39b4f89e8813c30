/** SIGINT: ends the command with exit code 130, unless the command has its own way to be interrupted. */
import { PeerdError } from '@peerd/protocol/errors';

export const interrupted = (message = 'interrupted', hint?: string): PeerdError => new PeerdError('interrupted', message, hint === undefined ? {} : { hint });

export class Interrupts implements Disposable {
  /** Aborts with a PeerdError `interrupted`. */
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  #handler: (() => void) | undefined;

  constructor() {
    this.signal = this.#controller.signal;
    process.on('SIGINT', this.#onSignal);
  }

  /** Ends everything that waits on `signal`. */
  abort(reason: PeerdError): void {
    this.#controller.abort(reason);
  }

  /** Calls `handler` on SIGINT in place of `abort`, until disposed. */
  take(handler: () => void): Disposable {
    this.#handler = handler;
    return {
      [Symbol.dispose]: () => {
        this.#handler = undefined;
      },
    };
  }

  [Symbol.dispose](): void {
    process.off('SIGINT', this.#onSignal);
  }

  readonly #onSignal = (): void => {
    if (this.#handler) this.#handler();
    else this.abort(interrupted());
  };
}
