/** Descriptors of the files that are being written; the least recently used ones without a write are closed. */
import { close } from 'node:fs';
import { promisify } from 'node:util';
import { GatheredWrites } from './gathered-writes.ts';

const closeFile = promisify(close);
const keptOpen = 64;

export interface OpenFile {
  readonly fd: number;
  /** The size before it was extended to the one that it gets. */
  readonly extendedFrom: number;
}

export interface WritableFile extends OpenFile {
  readonly writes: GatheredWrites;
}

interface Handle {
  readonly opening: Promise<WritableFile>;
  users: number;
}

export class FileHandles {
  readonly #handles = new Map<number, Handle>();

  /** Runs `use` with the file, which `open` gives the first time. */
  async with(file: number, open: () => Promise<OpenFile>, use: (opened: WritableFile) => Promise<void>): Promise<void> {
    const handle = this.#handles.get(file) ?? { opening: writable(open()), users: 0 };
    this.#handles.delete(file);
    this.#handles.set(file, handle);
    handle.users += 1;
    try {
      await use(await handle.opening);
    } catch (error) {
      if (await isFailed(handle)) this.#handles.delete(file);
      throw error;
    } finally {
      handle.users -= 1;
      await this.#evict(keptOpen);
    }
  }

  async close(): Promise<void> {
    await this.#evict(0);
  }

  async #evict(keep: number): Promise<void> {
    for (const [file, handle] of this.#handles) {
      if (this.#handles.size <= keep) return;
      if (handle.users > 0) continue;
      this.#handles.delete(file);
      if (!(await isFailed(handle))) await closeFile((await handle.opening).fd);
    }
  }
}

const writable = async (opening: Promise<OpenFile>): Promise<WritableFile> => {
  const opened = await opening;
  return { ...opened, writes: new GatheredWrites(opened.fd) };
};

const isFailed = async ({ opening }: Handle): Promise<boolean> =>
  opening.then(
    () => false,
    () => true,
  );
