import { statfs } from 'node:fs/promises';
import { MiB, PeerdError } from '@peerd/protocol';
import { ioError } from '../system-errors.ts';

/** Left free beside what is announced: directories and the file system's own records need room too. */
const marginBytes: number = 4 * MiB;

/** What an ordinary user may still write there. @throws PeerdError `io_error` */
const freeBytes = async (directory: Buffer | string): Promise<number> => {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch (cause) {
    throw ioError(cause, 'asking for the free space of the destination');
  }
};

export interface FreeSpace {
  readonly free: number;
  /** Whether so many bytes would be accepted now. */
  readonly fits: boolean;
}

/** @throws PeerdError `io_error` */
export const freeSpace = async (directory: Buffer | string, needed: number): Promise<FreeSpace> => {
  const free = await freeBytes(directory);
  return { free, fits: free >= needed + marginBytes };
};

/** What never fits is refused whatever may have arrived before. @throws PeerdError `no_space` */
export const assertCapacity = async (directory: Buffer | string, bytes: number): Promise<void> => {
  const { blocks, bsize } = await statfs(directory);
  if (bytes > blocks * bsize) throw tooLittle(bytes, blocks * bsize);
};

/** @throws PeerdError `no_space` */
export const assertFreeBytes = async (directory: Buffer | string, needed: number): Promise<void> => {
  const free = await freeBytes(directory);
  if (free >= needed + marginBytes) return;
  throw tooLittle(needed, Math.max(0, free - marginBytes));
};

/** Whole bytes only where they are few enough to be read. */
const amount = (bytes: number): string => (bytes < MiB ? `${bytes} bytes` : `${(bytes / MiB).toFixed(1)} MiB`);

/** @param free without the margin */
const tooLittle = (needed: number, free: number): PeerdError =>
  new PeerdError('no_space', `${amount(needed)} are still to come, and the destination has room for ${amount(free)}`, {
    hint: 'Free some space, or accept into another directory with --to.',
    details: { needed, free },
  });
