import type { PeerdError } from '@peerd/protocol';

/**
 * The AbortController of one operation: aborts with its parents and at its deadline. Disposing takes its listeners and
 * timers away and leaves the signal as it is.
 */
export class Scope implements Disposable {
  readonly #controller = new AbortController();
  readonly #parents: readonly AbortSignal[];
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(parents: readonly AbortSignal[], deadline?: { readonly ms: number; readonly reason: () => PeerdError }) {
    this.#parents = parents;
    const aborted = parents.find((parent) => parent.aborted);
    if (aborted) {
      this.abort(aborted.reason);
      return;
    }
    for (const parent of parents) parent.addEventListener('abort', this.#onAbort, { once: true });
    if (deadline) this.#timer = setTimeout(() => this.abort(deadline.reason()), deadline.ms);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The first reason wins. */
  abort(reason: unknown): void {
    if (!this.signal.aborted) this.#controller.abort(reason);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const parent of this.#parents) parent.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (event: Event): void => this.abort((event.target as AbortSignal).reason);
}

/** Waits for the promise, or throws the reason of the signal if that aborts first. */
export const orAborted = async <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> => {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason as Error);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
};
