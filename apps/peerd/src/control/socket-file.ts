/** Makes sure that nobody else can stand in for us at the socket's path, and that nobody answers there already. */
import { once } from 'node:events';
import { lstat, mkdir, realpath, stat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { PeerdError } from '@peerd/protocol';

/**
 * The directory exists (0700 if made here), is ours, and nobody else can write there or put another in its place; the
 * path is free.
 *
 * @throws PeerdError `invalid_settings`, `address_in_use`
 */
export const prepareSocketFile = async (path: string): Promise<void> => {
  await checkDirectory(dirname(path));
  await removeStale(path);
};

const checkDirectory = async (directory: string): Promise<void> => {
  const hint = 'Give --control a path in a directory that only you can write, such as $XDG_RUNTIME_DIR/peerd/peerd.sock.';
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new PeerdError('invalid_settings', `--control: cannot make ${directory}: ${(cause as Error).message}`, { cause, hint });
  }
  // Not followed: in /tmp anyone could have made a link of that name.
  const stats = await lstat(directory);
  if (!stats.isDirectory()) throw new PeerdError('invalid_settings', `--control: ${directory} is not a directory itself`, { hint });
  if (stats.uid !== process.getuid?.()) throw new PeerdError('invalid_settings', `--control: ${directory} belongs to another user (uid ${stats.uid})`, { hint });
  if ((stats.mode & 0o022) !== 0)
    throw new PeerdError('invalid_settings', `--control: others can write in ${directory} (mode ${(stats.mode & 0o7777).toString(8)})`, { hint });
  // Whoever may rename in a directory above can put one of their own in the place of ours; with the sticky bit only owners may.
  for (let above = dirname(await realpath(directory)); ; above = dirname(above)) {
    const { mode } = await stat(above);
    if ((mode & 0o1002) === 0o002) throw new PeerdError('invalid_settings', `--control: everybody can rename in ${above} (mode ${(mode & 0o7777).toString(8)}, no sticky bit)`, { hint });
    if (above === dirname(above)) break;
  }
};

const removeStale = async (path: string): Promise<void> => {
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!stats) return;
  if (!stats.isSocket()) throw new PeerdError('invalid_settings', `--control: ${path} exists and is no socket`, { hint: 'Move it away, or give another path.' });
  if (await answers(path))
    throw new PeerdError('address_in_use', `another peerd answers at ${path}`, { hint: 'Stop it first, or give this one a socket of its own: --control PATH.' });
  await unlink(path);
};

const answers = async (path: string): Promise<boolean> => {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    // Nobody listens any more: the socket of a daemon that was killed.
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return false;
    // Somebody has it, but does not let us in or is too busy.
    return true;
  } finally {
    socket.destroy();
  }
};
