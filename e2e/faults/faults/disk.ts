/** What disks do: full, read-only, broken. */
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { Setting } from '../stage.ts';
import { remount, traced } from '../system.ts';
import { type Fault, introduced, lasting, sides } from '../fault.ts';

const KiB = 1024;

const onSmall = (directory: 'downloads' | 'state') => (random: Random): Setting => ({ through: 'rendezvous', small: { side: random.pick(sides), directory } });

/** Fills the file system up to a rest. */
const fill = (directory: string, restBytes: number): string => {
  const path = join(directory, '.filler');
  const file = openSync(path, 'w');
  const block = Buffer.alloc(64 * KiB);
  try {
    for (;;) {
      const { bavail, bsize } = statfsSync(directory);
      const room = bavail * bsize - restBytes;
      if (room <= 0) break;
      writeSync(file, block, 0, Math.min(block.length, room));
    }
  } catch (error) {
    // Somebody else was quicker.
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
  return path;
};

const full = (directory: 'downloads' | 'state', summary: string): Fault => ({
  name: `full-${directory}`, summary, needs: ['mount'], setting: onSmall(directory),
  inject: async ({ small }, random, signal) => {
    if (small === undefined) throw new Error('there is no small file system');
    const filler = fill(small, random.pick([0, 0, 4, 16, 256, 2_048]) * KiB);
    await lasting(signal, random, 500, 4_000);
    rmSync(filler, { force: true });
  },
});

/** Of the calls of all threads that touch files only; sockets have others. */
const calls = {
  write: ['pwrite64', 'pwritev', 'ftruncate'], flush: ['fsync', 'fdatasync'], read: ['pread64', 'preadv'], move: ['rename', 'renameat', 'link', 'linkat'],
  change: ['mkdir', 'rename', 'renameat', 'link', 'linkat', 'unlink', 'rmdir', 'ftruncate', 'symlink'],
} as const;

export const diskFaults: readonly Fault[] = [
  full('downloads', 'the disk with the destination is full (ENOSPC in staging)'),
  full('state', 'the disk with the state is full (ENOSPC in journal, SQLite, receipts)'),
  {
    name: 'read-only', summary: 'the destination is mounted read-only for a while', needs: ['mount'], setting: () => ({ through: 'rendezvous', small: { side: 'bob', directory: 'downloads' } }),
    inject: async ({ small = '' }, random, signal) => {
      // Not while a file is open for writing there; then it comes between two of them.
      while (!(await remount(small, 'ro'))) await sleep(20, undefined, { signal });
      await lasting(signal, random, 500, 4_000);
      await remount(small, 'rw');
    },
  },
  {
    name: 'io-errors', summary: 'system calls on files fail (EIO, EROFS, ENOSPC; strace in one daemon), some or all', needs: ['strace'], setting: introduced,
    inject: async (stage, random, signal) => {
      const victim = random.pick(stage.peers);
      const kind = random.pick(['write', 'flush', 'read', 'move', 'change', 'all'] as const);
      const names = kind === 'all' ? [...new Set(Object.values(calls).flat())] : calls[kind];
      const error = random.pick(kind === 'change' || kind === 'move' ? ['EIO', 'EROFS', 'ENOSPC'] : kind === 'write' ? ['EIO', 'ENOSPC'] : ['EIO']);
      const first = random.pick([1, 1, random.int(1, 20)]);
      const step = random.pick(['+', '+1', `+${random.int(2, 9)}`, '']);
      const trace = await traced(victim.daemon?.pid ?? 0, ['-e', `trace=${names.join(',')}`, '-e', `inject=${names.join(',')}:error=${error}:when=${first}${step}`]);
      await lasting(signal, random, 500, 4_000);
      await trace.end();
    },
  },
];
