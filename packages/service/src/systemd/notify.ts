/**
 * Messages to the service manager (sd_notify(3)): READY=1, STOPPING=1, WATCHDOG=1, STATUS=….
 *
 * They are datagrams to a Unix socket, which Node cannot send, so `systemd-notify`, a part of systemd itself, sends them;
 * the unit has `NotifyAccess=all` for it. It returns when the manager has taken the message, which is why the manager can
 * still tell whose child it was.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Sends assignments such as `READY=1`. @throws when `systemd-notify` is missing or fails */
export type Notify = (...assignments: readonly string[]) => Promise<void>;

const timeoutMs = 5_000;

/** `undefined` when nobody asked to be told: not started by systemd, or not with `Type=notify`. */
export const createNotify = (env: Environment): Notify | undefined => {
  const socket = env['NOTIFY_SOCKET'];
  if (!socket) return undefined;
  return async (...assignments) => {
    await promisify(execFile)('systemd-notify', [...assignments], { timeout: timeoutMs, env: { NOTIFY_SOCKET: socket, PATH: env['PATH'] } });
  };
};
