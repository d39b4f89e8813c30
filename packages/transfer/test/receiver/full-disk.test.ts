import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/directory.ts';

/** A mount namespace of its own, with a small file system at $0; what follows runs in it. */
const withSmallDisk = 'mount -t tmpfs -o size=12m none "$0" && exec "$@"';
const unshare = (...command: string[]) =>
  spawnSync('sh', ['-c', 'exec unshare --map-root-user --mount sh -c "$0" "$@"', withSmallDisk, ...command], { encoding: 'utf8' });

const isPossible = unshare('/mnt', 'true').status === 0;

test.runIf(isPossible)('a disk that is full is said to be, and once it has room the rest arrives', async () => {
  const root = await temporaryDirectory();
  const small = join(root, 'small');
  await mkdir(small);
  const script = fileURLToPath(new URL('../support/full-disk.ts', import.meta.url));
  const { stdout, stderr } = unshare(small, process.execPath, '--conditions=@peerd/source', script, small, root);
  expect(stderr).toBe('');
  expect(stdout).toBe('done\n');
});
