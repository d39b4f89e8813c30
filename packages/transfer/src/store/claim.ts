/**
 * Takes a name in the destination, never one that somebody else has: a file or link by `link`, a directory by `mkdir` and
 * `rename` over it. Both refuse a name that exists (EEXIST).
 */
import { type BigIntStats, constants } from 'node:fs';
import { link, lstat, mkdir, open, rename, rmdir, unlink } from 'node:fs/promises';
import type { EntryType, ManifestEntry } from '@peerd/protocol';
import { errnoCode } from '../system-errors.ts';
import { isUnsupported, utimesArgument } from '../thread/file-times.ts';

/** Mode of the empty directory that reserves a name: nobody else makes one like it, and `mkdir` sets it in the same step. */
const claimMode = 0o1000;

/**
 * @param ours the name was logged for this entry by a run before, so a claim that stands there is our own
 * @returns `false` when the name is taken
 */
export const claimAndMove = async (from: Buffer, to: Buffer, type: EntryType, ours: boolean): Promise<boolean> => {
  const linked = type === 'directory' ? 'unsupported' : await tryLink(from, to);
  if (linked !== 'unsupported') return linked;
  if (!(await claim(to, type, ours))) return false;
  try {
    await rename(from, to);
    return true;
  } catch (cause) {
    // Somebody has put something into the directory that we had reserved.
    if (['ENOTEMPTY', 'EEXIST'].includes(errnoCode(cause) ?? '')) return false;
    await unclaim(to, type).catch(() => undefined);
    throw cause;
  }
};

const tryLink = async (from: Buffer, to: Buffer): Promise<boolean | 'unsupported'> => {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (errnoCode(error) === 'EEXIST') return false;
    // FAT and some network and FUSE file systems have no hard links.
    if (isUnsupported(error) || errnoCode(error) === 'EMLINK') return 'unsupported';
    throw error;
  }
};

/** Reserves the name with something empty that `rename` replaces. */
const claim = async (path: Buffer, type: EntryType, ours: boolean): Promise<boolean> => {
  try {
    if (type === 'directory') await mkdir(path, claimMode);
    else await (await open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW, 0)).close();
    return true;
  } catch (error) {
    if (errnoCode(error) !== 'EEXIST') throw error;
    return ours && isClaim(await statOf(path), type);
  }
};

/** What somebody has put in its place stays. */
const unclaim = async (path: Buffer, type: EntryType): Promise<void> => {
  if (isClaim(await statOf(path), type)) await (type === 'directory' ? rmdir(path) : unlink(path));
};

const isClaim = (stat: BigIntStats | undefined, type: EntryType): boolean => {
  if (stat === undefined || Number(stat.uid) !== process.geteuid?.()) return false;
  if (type === 'directory') return stat.isDirectory() && (stat.mode & 0o1777n) === BigInt(claimMode);
  return stat.isFile() && stat.size === 0n && (stat.mode & 0o777n) === 0n;
};

/**
 * Time and mode of a directory after its move: before, it had to stay writable. The mode comes last, so a directory that
 * can't be opened any more has both.
 */
export const dressPlaced = async (path: Buffer, inode: bigint, entry: ManifestEntry, flush: boolean): Promise<void> => {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW).catch((error: unknown) => {
    // Taken away by somebody, or dressed by a run before.
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES'].includes(errnoCode(error) ?? '')) return undefined;
    throw error;
  });
  if (directory === undefined) return;
  try {
    if ((await directory.stat({ bigint: true })).ino !== inode) return;
    await directory.utimes(Date.now() / 1_000, utimesArgument(entry.mtime[0], entry.mtime[1])).catch(ignoreUnsupported);
    await directory.chmod(entry.mode).catch(ignoreUnsupported);
    if (flush) await directory.sync();
  } finally {
    await directory.close();
  }
};

const ignoreUnsupported = (error: unknown): void => {
  if (!isUnsupported(error)) throw error;
};

export const unlinkIfThere = async (path: Buffer): Promise<void> => {
  await unlink(path).catch((error: unknown) => {
    if (errnoCode(error) !== 'ENOENT') throw error;
  });
};

/** `undefined` where nothing is. */
export const statOf = async (path: Buffer): Promise<BigIntStats | undefined> => {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw error;
  }
};
