/**
 * Plays a process that dies: from a chosen call on, nothing that it does reaches the disk or another thread any more.
 * Whatever it still tries fails, as its error handling could not have run either.
 */
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { Worker } from 'node:worker_threads';

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

const guarded = (target: object, names: readonly string[]): (() => void) => {
  const table = target as Record<string, Callable>;
  const originals = names.map((name) => [name, table[name]] as const);
  for (const [name, original] of originals)
    table[name] = function guardedCall(this: unknown, ...parameters: unknown[]): unknown {
      step();
      return original?.apply(this, parameters);
    };
  return () => {
    for (const [name, original] of originals) if (original !== undefined) table[name] = original;
  };
};

/** A file system that knows no hard links, such as FAT. */
export const withoutLinks = async <T>(run: () => Promise<T>): Promise<T> => {
  const original = fs.link;
  fs.link = () => Promise.reject(Object.assign(new Error('EPERM'), { code: 'EPERM' }));
  syncBuiltinESMExports();
  try {
    return await run();
  } finally {
    fs.link = original;
    syncBuiltinESMExports();
  }
};

/** @returns whether `run` came to its end within so many calls */
export const crashingAfter = async (calls: number, run: () => Promise<void>): Promise<{ finished: boolean }> => {
  const handle = await fs.open('/dev/null');
  const prototype = Object.getPrototypeOf(handle) as object;
  await handle.close();
  const restore = [
    guarded(fs, ['open', 'mkdir', 'rename', 'link', 'unlink', 'rmdir', 'lstat', 'chmod', 'rm']),
    guarded(prototype, ['sync', 'chmod', 'utimes', 'write', 'truncate', 'stat', 'read']),
    guarded(Worker.prototype, ['postMessage']),
  ];
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
  }
};
