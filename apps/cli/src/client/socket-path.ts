/** Where the daemon's control socket is: the same places in the same order in which peerd puts it. */
import { join } from 'node:path';
import { PeerdError } from '@peerd/protocol/errors';

/** sun_path of sockaddr_un is 108 bytes with its final NUL (unix(7)). */
const maxSocketPathBytes = 107;

/** What is asked of the machine. */
export interface SocketSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  readonly exists: (path: string) => boolean;
  /** A real directory that belongs to `uid` and that nobody else can write. */
  readonly isPrivateDirectory: (path: string, uid: number) => boolean;
}

/**
 * `--socket`, PEERCTL_SOCKET, PEERD_CONTROL; else the first of the usual places that exists.
 *
 * @throws PeerdError `invalid_argument`: longer than a Unix socket's name may be
 */
export const socketPath = (option: string | undefined, surroundings: SocketSurroundings): string => {
  const path = option ?? (surroundings.env['PEERCTL_SOCKET'] || surroundings.env['PEERD_CONTROL'] || usualPath(surroundings));
  if (path === '') throw new PeerdError('invalid_argument', 'the socket path is empty', { hint: 'Write --socket PATH, as peerd --control PATH has it.' });
  const bytes = Buffer.byteLength(path);
  if (bytes > maxSocketPathBytes)
    throw new PeerdError('invalid_argument', `the socket path has ${bytes} bytes, but a Unix socket's path may have ${maxSocketPathBytes}`, {
      hint: 'Start peerd with a shorter --control PATH and name it here with --socket PATH.',
    });
  return path;
};

const usualPath = ({ env, uid, exists, isPrivateDirectory }: SocketSurroundings): string => {
  const runtime = env['XDG_RUNTIME_DIR'];
  const user = runtime ? join(runtime, 'peerd', 'peerd.sock') : undefined;
  const service = '/run/peerd/peerd.sock';
  const fallbackDirectory = `/tmp/peerd-${uid}`;
  const fallback = join(fallbackDirectory, 'peerd.sock');
  if (user !== undefined && exists(user)) return user;
  if (exists(service)) return service;
  // Anyone may make a directory of this name in /tmp and answer in peerd's place.
  if (user === undefined || (isPrivateDirectory(fallbackDirectory, uid) && exists(fallback))) return fallback;
  return user;
};
