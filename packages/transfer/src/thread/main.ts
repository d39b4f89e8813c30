/** Entry of the file thread: answers one request after the other until it is terminated. */
import { isMainThread, parentPort } from 'node:worker_threads';
import { PathFilter } from '@peerd/protocol/path-filter';
import { BasisFiles } from './basis-files.ts';
import { BatchError } from './batch-error.ts';
import type { CallName, Calls, FailedCall, Reply, Request } from './calls.ts';
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

let walk: TreeWalk | undefined;
let sources: SourceFiles | undefined;
let staging: StagedFiles | undefined;
let merged: MergedFiles | undefined;
let compared: ComparedFiles | undefined;
let basis: BasisFiles | undefined;

const handlers: { [K in CallName]: (input: Calls[K]['in']) => Calls[K]['out'] } = {
  reset: () => {
    walk?.close();
    sources?.close();
    staging?.close();
    merged?.close();
    compared?.close();
    basis?.close();
    walk = undefined;
    sources = undefined;
    staging = undefined;
    merged = undefined;
    compared = undefined;
    basis = undefined;
  },
  walkOpen: ({ paths, name, workingDirectory, filter }) => {
    const roots = paths.map((path, position) => {
      try {
        const root = resolveRoot(buffer(path), buffer(workingDirectory));
        return name === undefined ? root : { ...root, name: buffer(name) };
      } catch (error) {
        throw new BatchError(error, position);
      }
    });
    walk = new TreeWalk(roots, filter && new PathFilter(filter));
    return roots;
  },
  walkNext: ({ limit, skips }) => {
    const entries = new EntryBatch();
    const skipped: WalkSkip[] = [];
    let skippedMore = 0;
    let leftOut = 0;
    let done = false;
    for (let steps = 0; steps < limit && !done; steps += 1) {
      const step = opened(walk).next();
      if (step === undefined) done = true;
      else if ('entry' in step) entries.add(step.entry, step.entry.inode);
      else if ('leftOut' in step) leftOut += 1;
      else if (skipped.length < skips) skipped.push(step.skip);
      else skippedMore += 1;
    }
    return { entries: entries.take(), skipped, skippedMore, leftOut, done };
  },
  sourcesOpen: ({ roots }) => {
    sources = new SourceFiles(roots);
  },
  sourceOpen: ({ entry }) => opened(sources).open(entry),
  sourcesRead: ({ entries, memory }) => opened(sources).read(entries, memory),
  stagingOpen: ({ rootFd }) => {
    staging = new StagedFiles(rootFd);
  },
  stagedDirectories: ({ entries }) => opened(staging).makeDirectories(entries),
  stagedWrite: ({ entries, content }) => {
    opened(staging).writeFiles(entries, content);
    return content;
  },
  stagedOpenForWrite: ({ entry }) => opened(staging).openForWrite(entry),
  stagedOpenForRead: ({ entry }) => opened(staging).openForRead(entry),
  stagedHash: ({ entries }) => opened(staging).hashFiles(entries),
  stagedFinish: ({ entries, keepOpen }) => opened(staging).finish(entries, keepOpen),
  stagedFinishDirectories: ({ entries, flush }) => opened(staging).finishDirectories(entries, flush),
  mergeOpen: (options) => {
    merged?.close();
    merged = new MergedFiles(options);
  },
  mergeEntries: ({ entries }) => opened(merged).merge(entries),
  mergeFinish: () => {
    opened(merged).finish();
    merged?.close();
    merged = undefined;
  },
  compareOpen: ({ directoryFd }) => {
    compared?.close();
    compared = new ComparedFiles(directoryFd);
  },
  compareEntries: ({ entries }) => opened(compared).compare(entries),
  basisOpen: ({ directoryFd, chunkSize }) => {
    basis?.close();
    basis = new BasisFiles(directoryFd, opened(staging), chunkSize);
  },
  basisFile: ({ entry }) => opened(basis).open(entry),
  basisCopy: ({ offset, length, expected }) => opened(basis).copy(offset, length, expected),
  basisClose: () => {
    basis?.close();
    basis = undefined;
  },
  removeTree: ({ path, limit }) => removeTree(buffer(path), limit),
};

const failure = (error: unknown): FailedCall => ({
  message: error instanceof Error ? error.message : String(error),
  code: error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined,
  errno: error instanceof Error && 'errno' in error && typeof error.errno === 'number' ? error.errno : undefined,
  position: error instanceof BatchError ? error.position : undefined,
});

const answer = <K extends CallName>({ call, input }: Request<K>): Reply => {
  try {
    return { result: handlers[call](input) };
  } catch (error) {
    return { failed: failure(error) };
  }
};

/** Large results change their owner instead of being copied. */
const transfers = (reply: Reply): ArrayBuffer[] => {
  if (!('result' in reply) || reply.result === null || typeof reply.result !== 'object') return [];
  const values: unknown[] = reply.result instanceof Uint8Array ? [reply.result] : Object.values(reply.result);
  const buffers = values.map((value) => (value instanceof Uint8Array && value.byteLength > 1_024 ? value.buffer : undefined));
  return buffers.filter((value): value is ArrayBuffer => value instanceof ArrayBuffer);
};

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  port.on('message', (request: Request) => {
    const reply = answer(request);
    port.postMessage(reply, transfers(reply));
  });
}
