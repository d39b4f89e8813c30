import { close, constants, open } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { flushAndClose, flushFileSystem, manyEntries } from './durability.ts';

const openPath = promisify(open);
const closeFile = promisify(close);

/** Descriptors that are open for flushing. */
const batchFiles = 64;
const slash = Buffer.from('/');

/**
 * Flushes a directory that nobody else changes: each file and directory in it, or the whole file system where that is less work.
 *
 * @param entries how many are in it, about
 * @throws errno errors, the reason of `signal`
 */
export const flushTree = async (root: Buffer, entries: number, signal: AbortSignal): Promise<void> => {
  if (entries > manyEntries) {
    const fd = await openPath(root, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      if (await flushFileSystem(fd, signal)) return;
    } finally {
      await closeFile(fd);
    }
  }
  const opened: number[] = [];
  const add = async (path: Buffer, flags: number): Promise<void> => {
    opened.push(await openPath(path, constants.O_RDONLY | constants.O_NOFOLLOW | flags));
    if (opened.length >= batchFiles) await flushAndClose(opened.splice(0));
  };
  try {
    const directories = [root];
    for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
      signal.throwIfAborted();
      await add(directory, constants.O_DIRECTORY);
      for (const entry of await readdir(directory, { withFileTypes: true, encoding: 'buffer' })) {
        const path = Buffer.concat([directory, slash, entry.name]);
        if (entry.isDirectory()) directories.push(path);
        // What a link says is in the inode that its directory flushes with it.
        else if (entry.isFile()) await add(path, 0);
      }
    }
    await flushAndClose(opened.splice(0));
  } finally {
    for (const fd of opened) await closeFile(fd);
  }
};
