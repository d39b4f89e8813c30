/** Takes away what a receiver has left, and nothing that it has not made. */
import { rm, rmdir } from 'node:fs/promises';
import { PeerdError } from '@peerd/protocol';
import { openDestination, openStagingDirectory, stagingPathIn, treeName } from '../store/staging.ts';
import { errnoCode, ioError } from '../system-errors.ts';
import { inDirectory } from '../thread/directory-cursor.ts';
import { FileThread } from '../thread/file-thread.ts';

const entriesAtOnce = 2_000;

/** @throws the reason of `signal`, errno errors */
export const removeWhole = async (path: Buffer, thread: FileThread, signal?: AbortSignal): Promise<void> => {
  for (let gone = false; !gone; ) {
    signal?.throwIfAborted();
    gone = await thread.call('removeTree', { path: Uint8Array.from(path), limit: entriesAtOnce });
  }
};

/** What bears its name and is not such a directory stays, and so does what others have put into it. @throws the reason of `signal`, errno errors */
export const removeStaging = async (path: Buffer, thread: FileThread, signal?: AbortSignal): Promise<void> => {
  const directory = await openStagingDirectory(path);
  if (directory === undefined) return;
  try {
    await removeWhole(inDirectory(directory.fd, treeName), thread, signal);
    await rmdir(path).catch((error: unknown) => {
      // Another one by now.
      if (!['ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST'].includes(errnoCode(error) ?? '')) throw error;
    });
  } finally {
    await directory.close();
  }
};

/** @param options.journalPath absent: the journal stays @throws PeerdError `io_error` */
export const discardReceived = async (options: { destination: Buffer | string; stagingName: string; journalPath?: string }): Promise<void> => {
  await removeStagingIn(options.destination, options.stagingName);
  if (options.journalPath === undefined) return;
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
  const thread = new FileThread();
  try {
    await removeStaging(stagingPathIn(destination, stagingName), thread);
  } catch (cause) {
    throw ioError(cause, 'removing the staging directory');
  } finally {
    await thread.close();
    await destination.close();
  }
};
