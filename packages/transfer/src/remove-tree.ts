/** Removes a directory that this process has made. */
import { removeWhole } from './receiver/discard.ts';
import { FileThread } from './thread/file-thread.ts';

/** What is in it may have any mode. Nothing happens when it is not there. @throws errno errors */
export const removeOwnTree = async (path: Buffer): Promise<void> => {
  const thread = new FileThread();
  try {
    await removeWhole(path, thread);
  } finally {
    await thread.close();
  }
};
