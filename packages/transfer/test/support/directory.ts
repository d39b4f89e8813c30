import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A directory that goes with the test. `memory`: where it can be had, on a file system in memory, for many files. */
export const temporaryDirectory = async (where: 'disk' | 'memory' = 'disk'): Promise<string> => {
  const parent = where === 'memory' && (await access('/dev/shm', constants.W_OK).then(() => true, () => false)) ? '/dev/shm' : tmpdir();
  const path = await mkdtemp(join(parent, 'peerd-transfer-'));
  // Node's own `rm` can't do names that are not UTF-8, nor directories without permissions.
  onTestFinished(async () => {
    await once(spawn('sh', ['-c', 'chmod -R u+rwx "$0"; rm -rf "$0"', path], { stdio: 'ignore' }), 'close');
  }, 60_000);
  return path;
};
