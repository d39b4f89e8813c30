/**
 * Where the control socket is (design §6), in this order: `--control`; `$RUNTIME_DIRECTORY/peerd.sock` as a service of
 * systemd; `$XDG_RUNTIME_DIR/peerd/peerd.sock`; `/tmp/peerd-UID/peerd.sock` where there is no runtime directory.
 */
import { join } from 'node:path';
import { PeerdError } from '@peerd/protocol';

export interface SocketPlace {
  readonly path: string;
  /** A service lets its group in; everybody else's socket is their own. */
  readonly mode: 0o600 | 0o660;
}

/** sun_path of sockaddr_un has 108 bytes with its final NUL (unix(7)). */
const maxPathBytes = 107;

/** @throws PeerdError `invalid_settings` */
export const controlSocket = (given: string | undefined, env: Readonly<Record<string, string | undefined>>, uid: number): SocketPlace => {
  const place = usualPlace(given, env, uid);
  const bytes = Buffer.byteLength(place.path);
  if (bytes > maxPathBytes)
    throw new PeerdError('invalid_settings', `--control: ${place.path} has ${bytes} bytes, but the path of a Unix socket has at most ${maxPathBytes}`, {
      hint: 'Give a shorter one: --control /run/user/UID/peerd/peerd.sock, for example.',
    });
  return place;
};

const usualPlace = (given: string | undefined, env: Readonly<Record<string, string | undefined>>, uid: number): SocketPlace => {
  if (given !== undefined) return { path: given, mode: 0o600 };
  const service = env['RUNTIME_DIRECTORY']?.split(':')[0];
  if (service) return { path: join(service, 'peerd.sock'), mode: 0o660 };
  if (env['XDG_RUNTIME_DIR']) return { path: join(env['XDG_RUNTIME_DIR'], 'peerd', 'peerd.sock'), mode: 0o600 };
  return { path: `/tmp/peerd-${uid}/peerd.sock`, mode: 0o600 };
};
