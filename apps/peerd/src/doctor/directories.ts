/** What lies on disk: the state directory and its key, the download directory, room, and what a crash left behind. */
import { constants, type Stats } from 'node:fs';
import { access, readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type DoctorCheck, escapeText } from '@peerd/protocol';
import { fail, octal, ok, warn } from './check.ts';

const MiB = 1_024 * 1_024;
/** Below this little state can be written, and nothing be received. */
const tooLittleBytes = 64 * MiB;
const littleBytes = 1_024 * MiB;

export const checkState = async (directory: string, uid: number): Promise<DoctorCheck[]> => {
  const shown = escapeText(directory);
  const key = join(directory, 'identity.key');
  return [
    await check('state-directory', directory, (stats) => {
      if (stats.uid !== uid) return fail('state-directory', `${shown} belongs to user ${stats.uid}, and peerd runs as user ${uid}`, `chown -R ${uid} ${shown}`);
      if ((stats.mode & 0o077) !== 0) return warn('state-directory', `${shown} is open to other users (mode ${octal(stats.mode)})`, `chmod 700 ${shown}`);
      return ok('state-directory', `${shown} is for peerd only`);
    }),
    await check('identity-key', key, (stats) => {
      if ((stats.mode & 0o077) !== 0 || stats.uid !== uid)
        return fail('identity-key', `${escapeText(key)} has mode ${octal(stats.mode)} and belongs to user ${stats.uid}: peerd will not start again with it`, `chown ${uid} ${escapeText(key)}; chmod 600 ${escapeText(key)}. Whoever read it can pose as this peer.`);
      return ok('identity-key', 'only peerd can read the private key');
    }),
    ...(await checkLoss(directory)),
    await checkSpace('free-space:state', directory),
  ];
};

/** As long as a damaged database lies there, its owner may not know what was lost. */
const checkLoss = async (directory: string): Promise<DoctorCheck[]> => {
  const damaged = (await readdir(directory)).filter((name) => /^peerd\.db\.corrupt-[-\dTZ.]+$/.test(name));
  if (damaged.length === 0) return [];
  const shown = damaged.map((name) => escapeText(join(directory, name))).join(', ');
  return [
    warn('database', `the database was damaged and set aside: ${shown}. Contacts, policies and pinned rendezvous were kept apart from it; messages and transfers of before are lost`, 'Look at the disk. `sqlite3 FILE .recover` shows what can still be read; then move the file away.'),
  ];
};

/** @param unfinished ids of receptions that are not over: their staging is in use */
export const checkDownloads = async (directory: string, unfinished: ReadonlySet<string>): Promise<DoctorCheck[]> => {
  const shown = escapeText(directory);
  const mend = 'Mend its mode or owner, or start peerd with another --download-dir.';
  try {
    if (!(await stat(directory)).isDirectory()) return [fail('download-directory', `${shown} is no directory`, mend)];
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [ok('download-directory', `${shown} is made when something is accepted`)];
    return [fail('download-directory', `${shown} cannot be written by peerd (${code ?? 'unknown error'})`, mend)];
  }
  const left = (await readdir(directory)).filter((name) => /^\.peerd-[0-9a-z]{26}-/.test(name) && !unfinished.has(name.slice('.peerd-'.length, '.peerd-'.length + 26)));
  return [
    ok('download-directory', `${shown} can be written`),
    left.length === 0
      ? ok('staging', 'nothing is left of transfers that ended')
      : warn('staging', `${left.length} staging ${left.length === 1 ? 'directory' : 'directories'} in ${shown} of transfers that peerd does not know: ${escapeText(left.slice(0, 3).join(', '))}`, 'They are of another state directory or of a lost database. Remove them when no other peerd uses this directory.'),
    await checkSpace('free-space:downloads', directory),
  ];
};

const check = async (name: string, path: string, judge: (stats: Stats) => DoctorCheck): Promise<DoctorCheck> => {
  try {
    return judge(await stat(path));
  } catch (error) {
    return fail(name, `${escapeText(path)} cannot be examined: ${(error as Error).message}`, 'Stop peerd, restore the file from a backup, and start it again. Without it a start makes a new identity.');
  }
};

const checkSpace = async (name: string, directory: string): Promise<DoctorCheck> => {
  const { bavail, bsize, files, ffree } = await statfs(directory);
  const free = bavail * bsize;
  const text = `${free < 10 * 1_024 * MiB ? `${Math.floor(free / MiB)} MiB` : `${Math.floor(free / (1_024 * MiB))} GiB`} are free in ${escapeText(directory)}`;
  if (files > 0 && ffree < 1_000) return warn(name, `only ${ffree} more files fit the file system of ${escapeText(directory)}`, 'Remove files that nobody needs: the file system has no inodes left.');
  if (free < tooLittleBytes) return fail(name, text, 'Free some space: offers are refused, and transfers fail.');
  return free < littleBytes ? warn(name, text, 'Free some space before something large is accepted.') : ok(name, text);
};
