/** What systemd says about the units of peerd, where there is a systemd. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { DoctorCheck } from '@peerd/protocol';

const answerMs = 3_000;

/** Nothing where no unit is installed. */
export const checkServices = async (signal: AbortSignal): Promise<DoctorCheck[]> => (await Promise.all([checkService(['--user'], signal), checkService([], signal)])).flat();

const checkService = async (manager: readonly string[], signal: AbortSignal): Promise<DoctorCheck[]> => {
  let shown: string;
  try {
    ({ stdout: shown } = await promisify(execFile)('systemctl', [...manager, 'show', 'peerd.service', '--property=LoadState,ActiveState,SubState,NRestarts'], { timeout: answerMs, signal, encoding: 'utf8' }));
  } catch {
    // No systemd, or none that answers this user.
    return [];
  }
  const values = new Map(shown.split('\n').map((line) => line.split('=', 2) as [string, string | undefined]));
  if (values.get('LoadState') !== 'loaded') return [];
  const name = manager.length > 0 ? 'service:user' : 'service:system';
  const journal = `journalctl ${[...manager, '-u peerd -n 20'].join(' ')}`;
  const state = values.get('ActiveState') ?? 'unknown';
  const restarts = Number(values.get('NRestarts') ?? 0);
  if (state === 'failed') return [{ name, state: 'fail', message: 'peerd.service has failed', hint: `\`${journal}\` says why; start it again with \`systemctl ${[...manager, 'restart peerd'].join(' ')}\`.` }];
  if (restarts > 0) return [{ name, state: 'warn', message: `peerd.service is ${state}, and was started again ${restarts} times after it had ended by itself`, hint: `\`${journal}\` says why.` }];
  return [{ name, state: 'ok', message: `peerd.service is ${state}`, hint: null }];
};
