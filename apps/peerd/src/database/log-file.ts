/**
 * The write-ahead log's way to stable storage. SQLite itself would call fsync after each commit; as that also stores the
 * file's time and, while it grows, its size, it waits for the file system's own journal, and that for whatever content is
 * being written back at the time: a tenth of a second and more. `fdatasync` of a log that has its blocks already waits for
 * the log's few pages only.
 */
import { closeSync, constants, fdatasyncSync, fstatSync, fsyncSync, openSync, writeSync } from 'node:fs';

/** SQLite goes back to the log's beginning after 1,000 pages, 4,120 bytes each; and what the last commit before that may add. */
const blocksBytes = 4_608 * 1_024;

export class LogFile {
  readonly #fd: number;

  /** @param path of the database, which is open and has been written to */
  constructor(path: string) {
    this.#fd = openSync(`${path}-wal`, constants.O_RDWR | constants.O_NOFOLLOW);
    this.begin();
  }

  /** At the start, and after it was cut: gives it its blocks, and has all of it on stable storage. @throws errno errors */
  begin(): void {
    this.#giveBlocks();
    fsyncSync(this.#fd);
  }

  /** What was committed is on stable storage afterwards. @throws errno errors; a later call proves nothing of the same pages then */
  flush(): void {
    fdatasyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Zeros behind the last frame are no frame: SQLite reads the log up to the first one whose salt is not the header's. */
  #giveBlocks(): void {
    const { size } = fstatSync(this.#fd);
    if (size >= blocksBytes) return;
    try {
      writeSync(this.#fd, Buffer.alloc(blocksBytes - size), 0, blocksBytes - size, size);
    } catch {
      // A full disk: then it grows as it always did, or tells when something is stored.
    }
  }
}
