/** Where names and links lead, worked out with Node's path functions: the path policy must not be checked by itself. */
import assert from 'node:assert/strict';
import { posix } from 'node:path';
import type { ManifestEntry } from '@peerd/protocol';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** @throws AssertionError when an entry that was taken leads out of the destination, or its link out of its top-level entry */
export const checkInside = ({ path, target }: Pick<ManifestEntry, 'path' | 'target'>): void => {
  const names = path.map(text);
  const where = posix.join('/destination', ...names);
  assert.equal(where, `/destination/${names.join('/')}`, 'a path means another one');
  assert(names.every((name) => name.length <= 255 && !name.includes('/') && !name.includes('\0')), 'a name that no file can have');
  if (target === undefined) return;
  assert(!posix.isAbsolute(text(target)) && !target.includes(0), 'a link with an absolute target, or with NUL');
  const destination = posix.join(posix.dirname(where), text(target)).replace(/\/$/, '');
  const top = `/destination/${names[0] ?? ''}`;
  // A link at the top level stands beside what else was sent: it may only lead to its neighbours.
  assert(names.length === 1 ? destination.startsWith('/destination') : destination === top || destination.startsWith(`${top}/`), `a link leads to ${destination}`);
};
