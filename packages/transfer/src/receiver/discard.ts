/** Takes away what a receiver has left, and nothing that it has not made. */
import { lstat, rm } from 'node:fs/promises';
import { PeerdError } from '@peerd/protocol';
import { openDestination, stagingPathIn } from '../store/staging.ts';
import { errnoCode, ioError } from '../system-errors.ts';
import { FileThread } from '../thread/file-thread.ts';

const entriesAtOnce = 2_000;

/** @throws the reason of `signal`, errno errors */
export const removeStaging = async (path: Buffer, thread: FileThread, signal?: AbortSignal): Promise<void> => {
  for (let gone = false; !gone; ) {
    signal?.throwIfAborted();
    gone = await thread.call('removeTree', { path: Uint8Array.from(path), limit: entriesAtOnce });
  }
};

/** @throws PeerdError `io_error` */
export const discardReceived = async (options: { destination: Buffer | string; stagingName: string; journalPath: string }): Promise<void> => {
  await removeStagingIn(options.destination, options.stagingName);
  await rm(options.journalPath, { force: true }).catch((cause: unknown) => {
    throw ioError(cause, 'removing the chunk journal');
  });
};

const removeStagingIn = async (directory: Buffer | string, stagingName: string): Promise<void> => {
  const destination = await openDestination(directory).catch((error: unknown) => {
    if (error instanceof PeerdError && ['ENOENT', 'ENOTDIR'].includes(errnoCode(error.cause) ?? '')) return undefined;
    throw error;
  });
  if (destination === undefined) return;
  try {
    const path = stagingPathIn(destination, stagingName);
    const stat = await lstat(path).catch((error: unknown) => {
      if (errnoCode(error) !== 'ENOENT') throw error;
    });
    if (stat === undefined || !stat.isDirectory() || stat.uid !== process.geteuid?.()) return;
    const thread = new FileThread();
    try {
      await removeStaging(path, thread);
    } finally {
      await thread.close();
    }
  } catch (cause) {
    throw ioError(cause, 'removing the staging directory');
  } finally {
    await destination.close();
  }
};
