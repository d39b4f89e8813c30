/** Stable storage: one `syncfs` for many small things, overlapped `fsync` for few. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { close, fsync } from 'node:fs';
import { promisify } from 'node:util';

const flush = promisify(fsync);
const closeFile = promisify(close);

/** `fsync` calls at the same time; the file system joins them into few commits. */
const overlapping = 8;

/** With more entries one flush of the file system is less work than one of each. */
export const manyEntries = 64;

/** Flushes and closes. All are closed even when one fails. */
export const flushAndClose = async (fds: readonly number[]): Promise<void> => {
  const left = fds.values();
  const worker = async (): Promise<void> => {
    for (const fd of left) {
      try {
        await flush(fd);
      } finally {
        await closeFile(fd);
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: overlapping }, worker));
  // A worker that failed has left the rest of its share to the others; if all failed, the rest is still open.
  for (const fd of left) await closeFile(fd);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
};

/**
 * Flushes the whole file system that the descriptor is on. Node has no `syncfs`, so coreutils' `sync` makes the call.
 *
 * @returns `false` where there is no such program
 */
export const flushFileSystem = async (fd: number, signal: AbortSignal): Promise<boolean> => {
  const child = spawn('sync', ['-f', '/proc/self/fd/3'], { stdio: ['ignore', 'ignore', 'ignore', fd], signal });
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return code === 0;
  } catch {
    signal.throwIfAborted();
    return false;
  }
};
