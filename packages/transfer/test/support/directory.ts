import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A directory that goes with the test. */
export const temporaryDirectory = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'peerd-transfer-'));
  // Node's own `rm` can't do names that are not UTF-8, nor directories without permissions.
  onTestFinished(async () => {
    await once(spawn('sh', ['-c', 'chmod -R u+rwx "$0"; rm -rf "$0"', path], { stdio: 'ignore' }), 'close');
  });
  return path;
};
