/** What peerctl sees by itself, and what peerd says about itself when it answers. */
import type { DoctorCheck } from '@peerd/protocol';
import type { Client } from '../client/client.ts';
import { failureOf, hasCode } from '../client/failure.ts';
import { checkPlaces } from './check-places.ts';
import { checkServices } from './check-service.ts';
import { checkSocket } from './check-socket.ts';

export interface Examined {
  readonly checks: readonly DoctorCheck[];
  readonly reachable: boolean;
}

export const examine = async (client: Client, ownVersion: string, signal: AbortSignal): Promise<Examined> => {
  const uid = process.getuid?.() ?? 0;
  const [daemon, socket, services] = await Promise.all([askDaemon(client, ownVersion, signal), checkSocket(client.socketPath, uid), checkServices(signal)]);
  const places = daemon.reachable ? [] : await checkPlaces(process.env);
  return { checks: [daemon.check, socket, ...services, ...places, ...daemon.more], reachable: daemon.reachable };
};

const askDaemon = async (client: Client, ownVersion: string, signal: AbortSignal): Promise<{ reachable: boolean; check: DoctorCheck; more: readonly DoctorCheck[] }> => {
  try {
    const [{ version }, { checks }] = await Promise.all([client.status(signal), client.doctor(signal)]);
    const check: DoctorCheck =
      version === ownVersion
        ? { name: 'daemon', state: 'ok', message: `peerd ${version} answers`, hint: null }
        : { name: 'daemon', state: 'warn', message: `peerd is of version ${version}, peerctl of version ${ownVersion}`, hint: 'Start peerd again to use the version that is installed.' };
    return { reachable: true, check, more: checks };
  } catch (error) {
    signal.throwIfAborted();
    if (hasCode(error, 'not_found')) {
      return { reachable: true, check: { name: 'daemon', state: 'warn', message: 'peerd answers, but is too old to examine itself', hint: 'Start peerd again to use the version that is installed.' }, more: [] };
    }
    if (!hasCode(error, 'daemon_unreachable', 'shutting_down')) throw error;
    const { message, hint } = failureOf(error);
    return { reachable: false, check: { name: 'daemon', state: 'fail', message, hint }, more: [] };
  }
};
