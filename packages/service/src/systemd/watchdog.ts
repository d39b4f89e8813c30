/** The watchdog of systemd (sd_watchdog_enabled(3)): it kills a service that gives no sign of life in time. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Environment } from './notify.ts';

/** Half of the time is the manual's advice; a third leaves room for one late answer. */
const share = 3;

/** Milliseconds between signs of life. `undefined` without a watchdog, or when it watches another process. */
export const watchdogInterval = (env: Environment, pid: number): number | undefined => {
  const microseconds = Number(env['WATCHDOG_USEC']);
  if (!Number.isSafeInteger(microseconds) || microseconds <= 0) return undefined;
  const watched = env['WATCHDOG_PID'];
  return watched === undefined || watched === String(pid) ? Math.max(1, Math.floor(microseconds / 1_000 / share)) : undefined;
};

export interface WatchdogOptions {
  readonly intervalMs: number;
  /** Rejects when the daemon cannot do its work. It has until the next sign of life is due. */
  readonly health: (signal: AbortSignal) => Promise<void>;
  readonly alive: () => Promise<void>;
  /** Told each time that a sign of life is withheld, or could not be given. */
  readonly failed: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/** Gives signs of life for as long as the health check passes, until the signal. Never rejects. */
export const runWatchdog = async ({ intervalMs, health, alive, failed, signal }: WatchdogOptions): Promise<void> => {
  while (!signal.aborted) {
    try {
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(intervalMs)]);
      await Promise.race([health(deadline), rejectOn(deadline)]);
      if (!signal.aborted) await alive();
    } catch (error) {
      if (!signal.aborted) failed(error);
    }
    // Its rejection is the end of the loop: the condition sees it.
    await delay(intervalMs, undefined, { signal, ref: false }).catch(() => {});
  }
};

const rejectOn = async (signal: AbortSignal): Promise<never> => {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return promise;
};
