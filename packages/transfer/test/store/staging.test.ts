/** What somebody else has put where ours would be, at each place where it could lead us elsewhere. */
import { chmodSync, chownSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { Receiver } from '../../src/index.ts';
import { claimAndMove } from '../../src/store/claim.ts';
import { Staging } from '../../src/store/staging.ts';
import { openOwnDirectory } from '../../src/thread/directory-cursor.ts';
import { removeTree } from '../../src/thread/remove-tree.ts';
import { chmodItself } from '../../src/thread/system-calls.ts';
import { beforeCall } from '../support/crash.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { makeCanary, type Snapshot, snapshot } from '../support/snapshot.ts';

let root: string;
let outside: string;
let destination: string;
let staging: string;
let untouched: Snapshot;

beforeEach(async () => {
  root = await temporaryDirectory();
  [outside, destination] = [join(root, 'outside'), join(root, 'destination')];
  staging = join(destination, '.peerd-test');
  mkdirSync(destination);
  makeCanary(outside, []);
  untouched = snapshot(outside);
});

const open = (): Promise<void> => Staging.open(destination, 'test').then((opened) => opened.close());
const discard = (): Promise<void> => Receiver.discard({ destination, stagingName: 'test', journalPath: join(root, 'journal') });

describe('the name of the staging directory', () => {
  test.each<[string, () => void]>([
    ['a link to a directory', () => symlinkSync(outside, staging)],
    ['a link to nothing', () => symlinkSync(join(outside, 'absent'), staging)],
    ['a file', () => writeFileSync(staging, '')],
    ['another directory of ours', () => makeCanary(staging, [])],
  ])('is that of %s: refused, and it stays as it is', async (_what, make) => {
    make();
    const before = snapshot(destination);
    await expect(open()).rejects.toMatchObject({ code: 'io_error' });
    await discard();
    expect(snapshot(destination)).toEqual(before);
    expect(snapshot(outside)).toEqual(untouched);
  });

  test.runIf(process.geteuid?.() === 0)('is that of a directory of another user: refused, and it stays', async () => {
    mkdirSync(join(staging, 't'), { recursive: true });
    chownSync(staging, 65_534, 65_534);
    const before = snapshot(destination);
    await expect(open()).rejects.toMatchObject({ code: 'io_error' });
    await discard();
    expect(snapshot(destination)).toEqual(before);
  });

  test.each(['a link', 'a file'])('is ours, and what is in it is %s', async (what) => {
    mkdirSync(staging, { mode: 0o700 });
    if (what === 'a link') symlinkSync(outside, join(staging, 't'));
    else writeFileSync(join(staging, 't'), '');
    await expect(open()).rejects.toMatchObject({ code: 'io_error' });
    await discard();
    expect(readdirSync(destination)).toEqual([]);
    expect(snapshot(outside)).toEqual(untouched);
  });

  test('has what others could see into: it is closed', async () => {
    mkdirSync(join(staging, 't'), { recursive: true });
    chmodSync(staging, 0o777);
    await open();
    expect(snapshot(staging)['']).toMatch(/^40700 /);
  });
});

test('a link on the way to the destination is not followed', async () => {
  renameSync(destination, join(root, 'moved'));
  symlinkSync(outside, destination);
  await expect(open()).rejects.toMatchObject({ code: 'io_error' });
  expect(snapshot(outside)).toEqual(untouched);
});

describe('a link that takes a place a moment before', () => {
  const kept = (): string => join(outside, 'kept');

  test('is neither followed by a change of mode', () => {
    const link = join(root, 'link');
    symlinkSync(kept(), link);
    expect(() => chmodItself(Buffer.from(link), 0o777)).toThrow();
    expect(snapshot(outside)).toEqual(untouched);
  });

  test('nor by the repair of a directory of ours', () => {
    const own = join(root, 'own');
    mkdirSync(own, { mode: 0o500 });
    const swap = (): void => {
      renameSync(own, join(root, 'away'));
      symlinkSync(outside, own);
    };
    // After the look at its mode.
    beforeCall('openSync', 1, swap, () => expect(() => openOwnDirectory(Buffer.from(own))).toThrow());
    expect(snapshot(outside)).toEqual(untouched);
  });

  test('nor by a removal', () => {
    const own = join(root, 'own');
    mkdirSync(join(own, 'deep'), { recursive: true });
    const swap = (): void => {
      renameSync(join(own, 'deep'), join(root, 'away'));
      symlinkSync(outside, join(own, 'deep'));
    };
    // The tree itself is looked at and opened, then what is in it.
    beforeCall('openSync', 2, swap, () => expect(() => removeTree(Buffer.from(own), 100)).toThrow());
    expect(snapshot(outside)).toEqual(untouched);
  });
});

test('a name that was reserved and lost to somebody is not freed again', async () => {
  const to = join(destination, 'name');
  const original = fs.rename;
  fs.rename = () => {
    renameSync(to, join(destination, 'reserved'));
    mkdirSync(to);
    return Promise.reject(Object.assign(new Error('refused'), { code: 'EACCES' }));
  };
  syncBuiltinESMExports();
  try {
    await expect(claimAndMove(Buffer.from(join(root, 'from')), Buffer.from(to), 'directory', false)).rejects.toThrow('refused');
  } finally {
    fs.rename = original;
    syncBuiltinESMExports();
  }
  expect(readdirSync(destination).sort()).toEqual(['name', 'reserved']);
});
