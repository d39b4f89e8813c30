import assert from 'node:assert/strict';
import { decodeManifestPage, encodeManifestPage, type ManifestEntry } from '@peerd/protocol';
import type { FuzzTarget } from '../engine/target.ts';
import { EntryOrder } from '../../packages/transfer/src/path-policy.ts';
import { checkInside } from './inside.ts';
import { cborMutator } from './mutate-cbor.ts';
import { unlessRefused } from './support.ts';

const entry = (path: string, more: Partial<ManifestEntry> = {}): ManifestEntry =>
  ({ path: path.split('/').map((component) => Buffer.from(component)), type: 'file', size: 0, mode: 0o644, mtime: [1_700_000_000, 5], ...more });

/** A page, and behind its schema the path policy with the order of entries. */
export const manifestPage: FuzzTarget = {
  name: 'manifest-page',
  seeds: [
    encodeManifestPage([entry('a', { type: 'directory', mode: 0o755 }), entry('a/b', { size: 7 }), entry('a/c', { type: 'directory' }), entry('a/c/l', { type: 'symlink', target: Buffer.from('../b') }), entry('b')]),
    encodeManifestPage([entry('con'), entry('é')]),
    // Refused, and next to what is not: below a file, without its directory, twice, out of order.
    ...[['a', 'a/b'], ['a/b'], ['a', 'a'], ['b', 'a']].map((paths) => encodeManifestPage(paths.map((path) => entry(path)))),
  ],
  mutate: cborMutator(0),
  run: (input) => {
    const entries = unlessRefused(() => decodeManifestPage(input), 'malformed_frame');
    if (entries === undefined) return;
    assert.deepEqual(decodeManifestPage(encodeManifestPage(entries)), entries);
    const order = new EntryOrder();
    const types = new Map<string, ManifestEntry['type']>();
    for (const taken of entries) {
      if (order.next(taken) !== undefined) return;
      checkInside(taken);
      const path = taken.path.map((component) => Buffer.from(component).toString('latin1'));
      assert(!types.has(path.join('/')), 'a path was taken twice');
      assert(path.length === 1 || types.get(path.slice(0, -1).join('/')) === 'directory', 'an entry was taken whose parent is no directory');
      types.set(path.join('/'), taken.type);
    }
  },
};
