/** Sockets that systemd opened before it started us (sd_listen_fds(3)). */
import type { Environment } from './notify.ts';

/** SD_LISTEN_FDS_START */
const firstDescriptor = 3;

/**
 * File descriptors by their name: `FileDescriptorName=` of the socket unit, else the unit's own name. Empty when the
 * variables are meant for another process.
 */
export const inheritedSockets = (env: Environment, pid: number): ReadonlyMap<string, number> => {
  const count = Number(env['LISTEN_FDS'] ?? 0);
  if (env['LISTEN_PID'] !== String(pid) || !Number.isSafeInteger(count) || count <= 0) return new Map();
  const names = (env['LISTEN_FDNAMES'] ?? '').split(':');
  return new Map(Array.from({ length: count }, (_, index) => [names[index] || 'unknown', firstDescriptor + index]));
};
