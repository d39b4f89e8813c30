/** What one operation has open in a file thread, and what can be done with it. */
import { PathFilter } from '@peerd/protocol/path-filter';
import { BasisFiles } from './basis-files.ts';
import { BatchError } from './batch-error.ts';
import type { CallName, Calls } from './calls.ts';
import { ComparedFiles } from './compared-files.ts';
import { EntryBatch } from './entry-batch.ts';
import { MergedFiles } from './merged-files.ts';
import { removeTree } from './remove-tree.ts';
import { SourceFiles } from './source-files.ts';
import { StagedFiles } from './staged-files.ts';
import { resolveRoot, TreeWalk, type WalkSkip } from './tree-walk.ts';

const opened = <T>(resource: T | undefined): T => {
  if (resource === undefined) throw new Error('a call before its resource was opened');
  return resource;
};

const buffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export class Operation {
  #walk: TreeWalk | undefined;
  #sources: SourceFiles | undefined;
  #staging: StagedFiles | undefined;
  #merged: MergedFiles | undefined;
  #compared: ComparedFiles | undefined;
  #basis: BasisFiles | undefined;

  readonly #handlers: { [K in CallName]: (input: Calls[K]['in']) => Calls[K]['out'] } = {
    walkOpen: ({ paths, name, workingDirectory, filter }) => {
      const roots = paths.map((path, position) => {
        try {
          const root = resolveRoot(buffer(path), buffer(workingDirectory));
          return name === undefined ? root : { ...root, name: buffer(name) };
        } catch (error) {
          throw new BatchError(error, position);
        }
      });
      this.#walk = new TreeWalk(roots, filter && new PathFilter(filter));
      return roots;
    },
    walkNext: ({ limit, skips }) => {
      const entries = new EntryBatch();
      const skipped: WalkSkip[] = [];
      let skippedMore = 0;
      let leftOut = 0;
      let done = false;
      for (let steps = 0; steps < limit && !done; steps += 1) {
        const step = opened(this.#walk).next();
        if (step === undefined) done = true;
        else if ('entry' in step) entries.add(step.entry, step.entry.inode);
        else if ('leftOut' in step) leftOut += 1;
        else if (skipped.length < skips) skipped.push(step.skip);
        else skippedMore += 1;
      }
      return { entries: entries.take(), skipped, skippedMore, leftOut, done };
    },
    sourcesOpen: ({ roots }) => {
      this.#sources = new SourceFiles(roots);
    },
    sourceOpen: ({ entry }) => opened(this.#sources).open(entry),
    sourcesRead: ({ entries, memory }) => opened(this.#sources).read(entries, memory),
    stagingOpen: ({ rootFd }) => {
      this.#staging = new StagedFiles(rootFd);
    },
    stagedDirectories: ({ entries }) => opened(this.#staging).makeDirectories(entries),
    stagedWrite: ({ entries, content }) => {
      opened(this.#staging).writeFiles(entries, content);
      return content;
    },
    stagedOpenForWrite: ({ entry }) => opened(this.#staging).openForWrite(entry),
    stagedOpenForRead: ({ entry }) => opened(this.#staging).openForRead(entry),
    stagedHash: ({ entries }) => opened(this.#staging).hashFiles(entries),
    stagedFinish: ({ entries, keepOpen }) => opened(this.#staging).finish(entries, keepOpen),
    stagedFinishDirectories: ({ entries, flush }) => opened(this.#staging).finishDirectories(entries, flush),
    mergeOpen: (options) => {
      this.#merged?.close();
      this.#merged = new MergedFiles(options);
    },
    mergeEntries: ({ entries }) => opened(this.#merged).merge(entries),
    mergeFinish: () => {
      opened(this.#merged).finish();
      this.#merged?.close();
      this.#merged = undefined;
    },
    compareOpen: ({ directoryFd }) => {
      this.#compared?.close();
      this.#compared = new ComparedFiles(directoryFd);
    },
    compareEntries: ({ entries }) => opened(this.#compared).compare(entries),
    basisOpen: ({ directoryFd, chunkSize }) => {
      this.#basis?.close();
      this.#basis = new BasisFiles(directoryFd, opened(this.#staging), chunkSize);
    },
    basisFile: ({ entry }) => opened(this.#basis).open(entry),
    basisCopy: ({ offset, length, expected }) => opened(this.#basis).copy(offset, length, expected),
    basisClose: () => {
      this.#basis?.close();
      this.#basis = undefined;
    },
    removeTree: ({ path, limit }) => removeTree(buffer(path), limit),
  };

  /** @throws BatchError, errno errors */
  answer<K extends CallName>(call: K, input: Calls[K]['in']): Calls[K]['out'] {
    return this.#handlers[call](input);
  }

  close(): void {
    this.#walk?.close();
    this.#sources?.close();
    this.#staging?.close();
    this.#merged?.close();
    this.#compared?.close();
    this.#basis?.close();
  }
}
