/** Where a transfer may be delivered to: checked before it is accepted. */
import { constants } from 'node:fs';
import { access, lstat, mkdir, realpath, stat } from 'node:fs/promises';
import { escapeText, PeerdError } from '@peerd/protocol';
import { assertFreeBytes } from '@peerd/transfer';

/** The directory that a person named. @param remedy what to do when it is not there. @throws PeerdError `invalid_argument` */
export const checkDestination = async (directory: string, remedy = 'mkdir -p it first, or leave --to away for the download directory.'): Promise<void> => {
  const shown = escapeText(directory);
  const refuse = (what: string, hint: string, cause?: unknown): PeerdError => new PeerdError('invalid_argument', `${shown} ${what}`, { hint, cause });
  if (!directory.startsWith('/') || directory.includes('\0')) throw refuse('is not an absolute path', 'Give a path that begins with /.');
  try {
    if (!(await stat(directory)).isDirectory()) throw refuse('is not a directory', 'Give a directory.');
    await access(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof PeerdError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw refuse('does not exist', remedy, error);
    throw refuse(`cannot be written by the daemon (${code ?? 'unknown error'})`, 'Change its mode or owner, or give another directory.', error);
  }
};

/** Makes the download directory when it is not there. @throws PeerdError `io_error` */
export const makeDownloadDirectory = async (directory: string): Promise<void> => {
  try {
    await mkdir(directory, { recursive: true });
    await access(directory, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new PeerdError('io_error', `the download directory ${escapeText(directory)} cannot be used: ${(cause as Error).message}`, {
      cause, hint: 'Mend its mode or owner, start peerd with another --download-dir, or accept with --to DIR.',
    });
  }
};

/**
 * The way to a directory without links. What is accepted goes there and nowhere else, however long it takes: a link that
 * somebody puts on that way later is not followed.
 *
 * @throws PeerdError `invalid_argument`
 */
export const pinDestination = async (directory: string): Promise<string> => {
  const real = await realpath(directory);
  if (!real.includes('\u{fffd}')) return real;
  throw new PeerdError('invalid_argument', `${escapeText(directory)} leads through a name that is not UTF-8`, { hint: 'Give another directory.' });
};

/** The same check that the content meets later, so that what is accepted also begins. @throws PeerdError `no_space` */
export const checkSpace = async (directory: string, bytes: number): Promise<void> => {
  try {
    await assertFreeBytes(directory, bytes);
  } catch (error) {
    if (!(error instanceof PeerdError) || error.code !== 'no_space') throw error;
    throw new PeerdError('no_space', `${escapeText(directory)} has too little room: ${error.message}`, {
      cause: error,
      hint: 'Free some space, or accept into another directory with --to DIR. The offer stays in the inbox.',
      ...(error.details ? { details: error.details } : {}),
    });
  }
};

/** How many of the names stand in the directory. */
export const countConflicts = async (directory: string, names: readonly Buffer[]): Promise<number> => {
  const base = Buffer.from(`${directory}/`);
  const found = await Promise.all(names.map((name) => lstat(Buffer.concat([base, name])).then(() => 1, () => 0)));
  return found.reduce<number>((sum, one) => sum + one, 0);
};
