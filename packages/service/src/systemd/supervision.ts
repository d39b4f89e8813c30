/** What a daemon tells the service manager between its start and its end. Without a service manager: nothing. */
import type { Logger } from '../logger.ts';
import { createNotify, type Environment } from './notify.ts';
import { runWatchdog, watchdogInterval } from './watchdog.ts';

/** What the manager is told about. */
export interface Supervised {
  /** Rejects when the daemon cannot do its work although the process runs. */
  readonly health?: (signal: AbortSignal) => Promise<void>;
  /** One line for `systemctl status`, about now. */
  readonly status?: () => string;
  readonly logger?: Logger;
}

export interface Supervision {
  /** The end is near: no more signs of life are needed. */
  stopping(): Promise<void>;
}

/** Says that the daemon is ready, then gives the signs of life that a watchdog wants. */
export const supervise = (daemon: Supervised, env: Environment, pid: number): Supervision | undefined => {
  const notify = createNotify(env);
  if (!notify) return undefined;
  const stop = new AbortController();
  const status = (): string[] => (daemon.status ? [`STATUS=${daemon.status()}`] : []);
  const tell = async (...assignments: string[]): Promise<void> => {
    try {
      await notify(...assignments);
    } catch (error) {
      daemon.logger?.error({ err: error }, `the service manager could not be told ${assignments[0]}; is systemd-notify installed?`);
    }
  };
  const run = async (): Promise<void> => {
    await tell('READY=1', ...status());
    const intervalMs = watchdogInterval(env, pid);
    if (intervalMs === undefined || stop.signal.aborted) return;
    await runWatchdog({
      intervalMs,
      health: daemon.health ?? (async () => {}),
      alive: () => tell('WATCHDOG=1', ...status()),
      failed: (error) => daemon.logger?.error({ err: error }, 'the health check failed: no sign of life for the watchdog'),
      signal: stop.signal,
    });
  };
  const running = run();
  return {
    stopping: async () => {
      stop.abort();
      // A sign of life that is under way must not arrive after the farewell.
      await running;
      await tell('STOPPING=1', 'STATUS=stopping');
    },
  };
};
