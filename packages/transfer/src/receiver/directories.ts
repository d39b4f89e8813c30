import type { Manifest } from '../manifest/manifest.ts';
import { ioError } from '../system-errors.ts';
import { EntryBatch } from '../thread/entry-batch.ts';
import { type FileThread, FileThreadError } from '../thread/file-thread.ts';
import { nameOf } from './arrivals.ts';

/** Makes every directory of the manifest in staging, or makes it ours to write to again. @throws PeerdError `io_error`, `no_space`; the reason of `signal` */
export const makeDirectories = async (manifest: Manifest, thread: FileThread, signal: AbortSignal): Promise<void> => {
  for (let page = 0; page < manifest.pages; page += 1) {
    signal.throwIfAborted();
    const directories = (await manifest.decoded(page)).entries.filter(({ entry }) => entry.type === 'directory');
    if (directories.length === 0) continue;
    const batch = new EntryBatch();
    for (const { entry } of directories) batch.add(entry);
    const entries = batch.take();
    await thread.call('stagedDirectories', { entries }, [entries]).catch((cause: unknown) => {
      const directory = cause instanceof FileThreadError ? directories[cause.position ?? 0] : undefined;
      throw ioError(cause, directory === undefined ? 'making directories' : `making the directory "${nameOf(directory)}"`);
    });
  }
};
