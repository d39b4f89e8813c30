/**
 * Plays a process that dies: from a chosen call on, nothing that it does reaches the disk or another thread any more.
 * Whatever it still tries fails, as its error handling could not have run either.
 */
import fsSync from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { Worker } from 'node:worker_threads';
import { expect } from 'vitest';
import type { Request } from '../../src/thread/calls.ts';
import { MergedFiles } from '../../src/thread/merged-files.ts';

export class Crash extends Error {}

interface Life {
  /** Calls until the crash. */
  left: number;
}

let life: Life | undefined;

/** One step of the process that may be its last. */
export const step = (): void => {
  if (life === undefined) return;
  life.left -= 1;
  if (life.left < 0) throw new Crash();
};

type Callable = (...parameters: unknown[]) => unknown;

/** The process is dead already, or goes on. */
const living = (): void => {
  if (life !== undefined && life.left < 0) throw new Crash();
};

const guarded = (target: object, names: readonly string[], before: () => void = step): (() => void) => {
  const table = target as Record<string, Callable>;
  const originals = names.map((name) => [name, table[name]] as const);
  for (const [name, original] of originals)
    table[name] = function guardedCall(this: unknown, ...parameters: unknown[]): unknown {
      before();
      return original?.apply(this, parameters);
    };
  return () => {
    for (const [name, original] of originals) if (original !== undefined) table[name] = original;
  };
};

/** A file system that knows no hard links, such as FAT. */
export const withoutLinks = async <T>(run: () => Promise<T>): Promise<T> => {
  const original = fs.link;
  const { linkSync } = fsSync;
  const refused = (): Error => Object.assign(new Error('EPERM'), { code: 'EPERM' });
  fs.link = () => Promise.reject(refused());
  fsSync.linkSync = () => {
    throw refused();
  };
  syncBuiltinESMExports();
  try {
    return await run();
  } finally {
    fs.link = original;
    fsSync.linkSync = linkSync;
    syncBuiltinESMExports();
  }
};

const promised = ['open', 'mkdir', 'rename', 'link', 'unlink', 'rmdir', 'lstat', 'chmod', 'rm'] as const;
const ofHandles = ['sync', 'chmod', 'utimes', 'write', 'truncate', 'stat', 'read'] as const;
const synchronous = ['openSync', 'lstatSync', 'linkSync', 'renameSync', 'chmodSync', 'fchmodSync', 'futimesSync', 'fsyncSync', 'fstatSync'] as const;

/** Keeps the handles that are opened meanwhile. */
const watchedHandles = (): { readonly handles: FileHandle[]; readonly undo: () => void } => {
  const handles: FileHandle[] = [];
  const original = fs.open;
  fs.open = async (...parameters) => {
    const handle = await original(...parameters);
    handles.push(handle);
    return handle;
  };
  return { handles, undo: () => void (fs.open = original) };
};

const dyingAfter = async (calls: number, guards: (prototype: object) => (() => void)[], run: () => Promise<void>): Promise<{ finished: boolean }> => {
  const handle = await fs.open('/dev/null');
  const prototype = Object.getPrototypeOf(handle) as object;
  await handle.close();
  const watched = watchedHandles();
  const restore = [...guards(prototype), watched.undo];
  syncBuiltinESMExports();
  const own: Life = { left: calls };
  life = own;
  try {
    await run();
    return { finished: own.left >= 0 };
  } catch (error) {
    if (own.left >= 0) throw error;
    return { finished: false };
  } finally {
    life = undefined;
    for (const undo of restore) undo();
    syncBuiltinESMExports();
    // A call that fails in a process that lives on leaves nothing open either.
    expect(watched.handles.filter(({ fd }) => fd !== -1)).toEqual([]);
  }
};

/** @returns whether `run` came to its end within so many calls of the main thread */
export const crashingAfter = (calls: number, run: () => Promise<void>): Promise<{ finished: boolean }> =>
  dyingAfter(calls, (prototype) => [guarded(fs, promised), guarded(prototype, ofHandles), guarded(Worker.prototype, ['postMessage'])], run);

/** The same by the calls of the file thread while it merges. That runs here for once, where each of its calls can be the last. */
export const crashingInThread = (calls: number, run: () => Promise<void>): Promise<{ finished: boolean }> =>
  dyingAfter(calls, (prototype) => [guarded(fs, promised, living), guarded(prototype, ofHandles, living), mergingHere(), guarded(Worker.prototype, ['postMessage'], living)], run);

const mergingHere = (): (() => void) => {
  const table = Worker.prototype as { postMessage: (this: Worker, request: Request, transfer: readonly ArrayBuffer[]) => void };
  const original = table.postMessage;
  let merged: MergedFiles | undefined;
  const answers: { [call: string]: (input: never) => unknown } = {
    mergeOpen: (options: ConstructorParameters<typeof MergedFiles>[0]) => void (merged = new MergedFiles(options)),
    mergeEntries: ({ entries }: { entries: Uint8Array }) => merged?.merge(entries),
    mergeFinish: () => merged?.finish(),
  };
  table.postMessage = function posted(request, transfer): void {
    const answer = answers[request.call];
    if (answer === undefined) return original.call(this, request, transfer);
    const undo = guarded(fsSync, synchronous);
    syncBuiltinESMExports();
    let reply: unknown;
    try {
      reply = { result: answer(request.input as never) };
    } catch (error) {
      reply = { failed: { message: String(error) } };
    } finally {
      undo();
      syncBuiltinESMExports();
    }
    setImmediate(() => this.emit('message', reply));
  };
  return () => {
    merged?.close();
    table.postMessage = original;
  };
};

/** Somebody else acts right before a certain call of a function of `node:fs`. */
export const beforeCall = (name: (typeof synchronous)[number], call: number, act: () => void, run: () => void): void => {
  let left = call;
  const undo = guarded(fsSync, [name], () => {
    left -= 1;
    if (left === 0) act();
  });
  syncBuiltinESMExports();
  try {
    run();
  } finally {
    undo();
    syncBuiltinESMExports();
  }
};
