/** How much the spool may take: a bound of its own, and some space that is left to everything else. */
import { statfs } from 'node:fs/promises';
import { PeerdError } from '@peerd/protocol';

const MiB = 1024 * 1024;
/** Left free for the database, the journals and other programs. */
const reserveBytes = 256 * MiB;
/** The file system is asked again after so many bytes. */
const lookEvery = 16 * MiB;

export class Quota {
  readonly #directory: string;
  readonly #limit: number;
  readonly #reserve: number;
  #used = 0;
  #unlooked = lookEvery;

  constructor(directory: string, limit: number, reserve: number = reserveBytes) {
    this.#directory = directory;
    this.#limit = limit;
    this.#reserve = reserve;
  }

  get used(): number {
    return this.#used;
  }

  /** What was there when the daemon started. */
  found(bytes: number): void {
    this.#used += bytes;
  }

  /** Before so many bytes are written. @throws PeerdError `spool_full` */
  async take(bytes: number): Promise<void> {
    if (this.#used + bytes > this.#limit)
      throw new PeerdError('spool_full', `the spool may hold ${this.#limit} bytes; ${this.#used} are in use, this upload included, and at least ${bytes} more are needed`, {
        hint: 'Wait until transfers of spooled content are over, send it from a path that peerd can read, or raise spool_quota.', details: { limit: this.#limit, used: this.#used },
      });
    this.#used += bytes;
    this.#unlooked += bytes;
    if (this.#unlooked < lookEvery) return;
    this.#unlooked = 0;
    try {
      await this.#look(bytes);
    } catch (error) {
      this.give(bytes);
      this.#unlooked = lookEvery;
      throw error;
    }
  }

  async #look(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#directory);
    const free = bavail * bsize;
    if (free >= this.#reserve + bytes) return;
    throw new PeerdError('spool_full', `the file system of the spool has ${free} bytes free, and ${this.#reserve} are left to other uses`, {
      hint: 'Free some space on the file system of the state directory, or send it from a path that peerd can read.', details: { free, reserve: this.#reserve },
    });
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}

/** A disk that is full all the same. */
export const asSpoolFull = (error: unknown): unknown => {
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new PeerdError('spool_full', `the file system of the spool is full (${code})`, { cause: error, hint: 'Free some space on the file system of the state directory, or send it from a path that peerd can read.' });
};
