/** File system calls that Node lacks, and what their errors mean for a batch of them. */
import { chmodSync, closeSync, constants, openSync } from 'node:fs';
import { isUnsupported } from './file-times.ts';

/** Of open(2), which Node does not name: a descriptor of what stands there itself, whatever it is and whoever may read it. */
const O_PATH = 0o10000000;

/** `chmod` follows a link that somebody puts there a moment before; this does not. */
export const chmodItself = (path: Buffer, mode: number): void => {
  const fd = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    chmodSync(`/proc/self/fd/${fd}`, mode);
  } finally {
    closeSync(fd);
  }
};

export const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

/** Not of the file that was asked for: the next one would meet the same. */
export const exhaustion: readonly string[] = ['EMFILE', 'ENFILE', 'ENOMEM'];
const diskTrouble = ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'];

/** Unlike a disk that is full or fails, or a defect, which stop everything. */
export const concernsOne = (error: unknown): boolean => {
  const code = codeOf(error);
  return typeof code === 'string' && /^E[A-Z]/.test(code) && ![...diskTrouble, ...exhaustion].includes(code);
};

/** Runs what a file system such as FAT can't do. */
export const ifSupported = (change: () => void): void => {
  try {
    change();
  } catch (error) {
    if (!isUnsupported(error)) throw error;
  }
};
