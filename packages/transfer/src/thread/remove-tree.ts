/** Removes a directory of ours with everything in it, without ever following a symbolic link out of it. */
import { closeSync, lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { inDirectory, openOwnDirectory } from './directory-cursor.ts';

/**
 * Removes at most `limit` entries, so that the caller can look at its signal in between.
 *
 * @returns whether nothing is left
 */
export const removeTree = (path: Buffer, limit: number): boolean => {
  const budget = { left: limit };
  try {
    return lstatSync(path).isDirectory() ? removeDirectory(path, budget) : removed(() => unlinkSync(path), budget);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return true;
    throw error;
  }
};

const removed = (remove: () => void, budget: { left: number }): boolean => {
  if (budget.left <= 0) return false;
  budget.left -= 1;
  remove();
  return true;
};

const removeDirectory = (path: Buffer, budget: { left: number }): boolean => {
  const fd = openOwnDirectory(path);
  try {
    for (const name of readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' })) {
      const child = inDirectory(fd, Buffer.from(name, 'latin1'));
      const gone = lstatSync(child).isDirectory() ? removeDirectory(child, budget) : removed(() => unlinkSync(child), budget);
      if (!gone) return false;
    }
  } finally {
    closeSync(fd);
  }
  return removed(() => rmdirSync(path), budget);
};
