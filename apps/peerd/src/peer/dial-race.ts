/** Happy Eyeballs (RFC 8305 §5): attempts start one after the other, overlap, and the first that succeeds wins. */
import { PeerdError } from '@peerd/protocol';
import { orAborted, Scope } from '../net/scope.ts';

export interface Race<A, T> {
  readonly addresses: readonly A[];
  /** Must end when its signal aborts. */
  readonly attempt: (address: A, signal: AbortSignal) => Promise<T>;
  /** Gets what an attempt came to after another had won. */
  readonly discard: (late: T) => void;
  /** The next attempt starts after this time, or as soon as one failed. */
  readonly staggerMs: number;
  readonly signal: AbortSignal;
}

/** `undefined`: every attempt failed. @throws the reason of `signal` */
export const race = async <A, T>({ addresses, attempt, discard, staggerMs, signal }: Race<A, T>): Promise<T | undefined> => {
  using scope = new Scope([signal]);
  const winner = Promise.withResolvers<T | undefined>();
  let won: { result: T } | undefined;
  const left = [...addresses];
  let running = 0;
  let timer: NodeJS.Timeout | undefined;

  const startNext = (): void => {
    clearTimeout(timer);
    if (scope.signal.aborted) return;
    const address = left.shift();
    if (address === undefined) {
      if (running === 0) winner.resolve(undefined);
      return;
    }
    running += 1;
    void run(address);
    timer = setTimeout(startNext, staggerMs);
  };
  const run = async (address: A): Promise<void> => {
    try {
      const result = await attempt(address, scope.signal);
      if (scope.signal.aborted) return discard(result);
      won = { result };
      winner.resolve(result);
      scope.abort(new PeerdError('duplicate_link', 'another address was quicker'));
    } catch {
      running -= 1;
      startNext();
    }
    return undefined;
  };

  try {
    signal.throwIfAborted();
    startNext();
    return await orAborted(winner.promise, signal);
  } catch (error) {
    if (won) discard(won.result);
    throw error;
  } finally {
    clearTimeout(timer);
  }
};
