/** Who may talk to peerd: whoever opens its socket has its full power. */
import { lstat, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DoctorCheck } from '@peerd/protocol';
import { escapeText } from '@peerd/protocol/escape';

const name = 'control-socket';
const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');

/** @param uid of the user who asks */
export const checkSocket = async (path: string, uid: number): Promise<DoctorCheck> => {
  const shown = escapeText(path);
  const fail = (message: string, hint: string): DoctorCheck => ({ name, state: 'fail', message, hint });
  let socket: Awaited<ReturnType<typeof lstat>>;
  let directory: Awaited<ReturnType<typeof stat>>;
  try {
    [socket, directory] = await Promise.all([lstat(path), stat(dirname(path))]);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EACCES'
      ? fail(`${shown} is in a directory that this user may not enter`, 'Become the user who runs peerd; where it is a service, be a member of the group peerd.')
      : fail(`there is no socket ${shown}`, 'Start peerd, or name the socket of a running one with --socket PATH.');
  }
  if (!socket.isSocket()) return fail(`${shown} is no socket`, 'Name the socket of peerd with --socket PATH.');
  if (socket.uid !== uid && socket.uid !== 0 && uid !== 0 && (socket.mode & 0o060) === 0) return fail(`${shown} belongs to user ${socket.uid}`, 'Become that user, or name your own socket with --socket PATH.');
  if ((socket.mode & 0o007) !== 0 && (directory.mode & 0o007) !== 0)
    return fail(`every user of this machine may use ${shown} (mode ${octal(socket.mode)}), and so has the power of peerd`, `chmod 600 ${shown}`);
  if ((directory.mode & 0o022) !== 0 && (directory.mode & 0o1000) === 0)
    return { name, state: 'warn', message: `other users may replace ${shown}: its directory has mode ${octal(directory.mode)}`, hint: `chmod 700 ${escapeText(dirname(path))}` };
  const who = (socket.mode & 0o060) === 0 ? 'its user' : 'its user and group';
  return { name, state: 'ok', message: `${shown} is for ${who} only`, hint: null };
};
