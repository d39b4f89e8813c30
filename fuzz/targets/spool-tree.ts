import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Quota } from '../../apps/peerd/src/spool/quota.ts';
import { receiveTree } from '../../apps/peerd/src/spool/receive-tree.ts';
import { Upload } from '../../apps/peerd/src/spool/upload.ts';
import type { FuzzTarget } from '../engine/target.ts';
import { roomFor } from './room.ts';
import { checkRefusal } from './support.ts';
import { archiveOf, mutateArchive } from './tar.ts';

const room = roomFor('spool-tree');
const place = join(room, 'upload');

const seeds = [
  await archiveOf({ name: 'a', type: 'directory', mode: 0o755 }, { name: 'a/b', content: 'content', mode: 0o600 }, { name: 'a/l', type: 'symlink', linkname: '../x' }, { name: 'a/c', type: 'directory' }, { name: 'a/c/d', content: 'x' }),
  // Refused: out of it, and below a link.
  await archiveOf({ name: '../x', content: 'x' }),
  await archiveOf({ name: 'a', type: 'directory' }, { name: 'a/../../x', content: 'x' }),
  await archiveOf({ name: 'a', type: 'directory' }, { name: 'a/l', type: 'symlink', linkname: '..' }, { name: 'a/l/x', content: 'x' }),
  await archiveOf({ name: 'é'.repeat(60), content: 'x', pax: { mtime: '-5.000000001' } }),
];

/** So that it can be removed again: modes come from the archive. */
const open = async (directory: string): Promise<void> => {
  if (!(await lstat(directory)).isDirectory()) return;
  await chmod(directory, 0o700);
  for (const name of await readdir(directory, { encoding: 'latin1' })) await open(join(directory, name)).catch(() => {});
};

/** An archive of peerctl as peerd spools it: nothing stands beside the place of the upload afterwards. */
export const spoolTree: FuzzTarget = {
  name: 'spool-tree',
  seeds,
  maxBytes: 16_384,
  shortRuns: 250,
  mutate: mutateArchive,
  run: async (input) => {
    mkdirSync(place, { mode: 0o700 });
    try {
      const top = await receiveTree(Readable.from([input]), new Upload(Buffer.from(place), new Quota(place, 1_000_000), new AbortController().signal));
      assert(top.toString('latin1').startsWith(`${place}/`) && readdirSync(place).length === 1, 'not one entry in the place of the upload');
    } catch (error) {
      checkRefusal(error, ['invalid_argument', 'spool_full', 'manifest_too_large']);
    } finally {
      const beside = readdirSync(room);
      if (existsSync(place)) await open(place);
      await rm(place, { recursive: true, force: true });
      assert.deepEqual(beside, ['upload']);
    }
  },
};
