/** What the errors of file system calls mean for a batch of them. */
import { isUnsupported } from './file-times.ts';

export const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

/** Unlike a full disk, or a defect, which stop everything. */
export const concernsOne = (error: unknown): boolean => {
  const code = codeOf(error);
  return typeof code === 'string' && /^E[A-Z]/.test(code) && !['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE'].includes(code);
};

/** Runs what a file system such as FAT can't do. */
export const ifSupported = (change: () => void): void => {
  try {
    change();
  } catch (error) {
    if (!isUnsupported(error)) throw error;
  }
};
