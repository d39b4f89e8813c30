/** What can be told of a peerd that does not run: the files of this user where peerd has them by default. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { DoctorCheck } from '@peerd/protocol';
import { escapeText } from '@peerd/protocol/escape';

const defaultPort = 12_001;
const connectMs = 1_000;

export const checkPlaces = async (env: Readonly<Record<string, string | undefined>>): Promise<DoctorCheck[]> => {
  const base = env['XDG_STATE_HOME'] || (env['HOME'] ? join(env['HOME'], '.local', 'state') : undefined);
  const settings = env['XDG_CONFIG_HOME'] || (env['HOME'] ? join(env['HOME'], '.config') : undefined);
  const checks = await Promise.all([
    base === undefined ? undefined : checkKey(join(base, 'peerd', 'identity.key')),
    settings === undefined ? undefined : checkSettingsFile(join(settings, 'peerd', 'peerd.toml')),
    checkPort(),
  ]);
  return checks.filter((check) => check !== undefined);
};

const checkKey = async (path: string): Promise<DoctorCheck> => {
  const shown = escapeText(path);
  try {
    const { mode } = await stat(path);
    return (mode & 0o077) === 0
      ? { name: 'identity-key', state: 'ok', message: `${shown} is there, and for its user only`, hint: null }
      : { name: 'identity-key', state: 'fail', message: `${shown} can be read by other users: peerd does not start with it`, hint: `chmod 600 ${shown}. Whoever read it can pose as this peer.` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT'
      ? { name: 'identity-key', state: 'ok', message: `there is no ${shown} yet: the first start makes it`, hint: null }
      : { name: 'identity-key', state: 'fail', message: `${shown} cannot be examined (${code ?? 'unknown error'})`, hint: 'Mend the owner and the mode of the directories above it.' };
  }
};

const checkSettingsFile = async (path: string): Promise<DoctorCheck | undefined> => {
  const shown = escapeText(path);
  try {
    await access(path, constants.R_OK);
    return { name: 'settings', state: 'ok', message: `${shown} is read at the start; peerd says what is wrong in it`, hint: null };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return { name: 'settings', state: 'fail', message: `${shown} cannot be read`, hint: 'Mend its mode or owner.' };
  }
};

const checkPort = async (): Promise<DoctorCheck> => {
  const taken = await new Promise<boolean>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: defaultPort });
    const end = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.setTimeout(connectMs, () => end(false));
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
  return taken
    ? { name: 'port', state: 'warn', message: `something listens on port ${defaultPort}, where peers would look for peerd`, hint: `ss -ltnp 'sport = :${defaultPort}' names it. If it is a peerd, its socket is elsewhere: --socket PATH.` }
    : { name: 'port', state: 'ok', message: `port ${defaultPort} is free`, hint: null };
};
