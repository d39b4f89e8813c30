/** For what has to be done some time: attempt after attempt, with pauses that double, until one succeeds. */
import { setTimeout as sleep } from 'node:timers/promises';

const firstPauseMs = 250;
const longestPauseMs = 30_000;

export interface InsistOptions {
  /** Gives up. */
  readonly signal: AbortSignal;
  /** Of the first failure: the others would say the same. */
  readonly onFailure: (error: unknown) => void;
  /** Whether it may go well later; default: any failure. */
  readonly mayPass?: (error: unknown) => boolean;
  readonly firstPauseMs?: number;
}

/** @throws what the last attempt threw, when it will not pass or when the signal aborts */
export const insist = async <T>(attempt: () => Promise<T>, { signal, onFailure, mayPass, ...options }: InsistOptions): Promise<T> => {
  let failed = false;
  for (let pauseMs = options.firstPauseMs ?? firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted || mayPass?.(error) === false) throw error;
      if (!failed) onFailure(error);
      failed = true;
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) throw error;
    }
  }
};
