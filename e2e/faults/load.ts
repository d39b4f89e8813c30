/** What is sent in a run: content, names and direction, all from the seed. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestOf } from './digest.ts';
import type { Random } from './random.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

export type LoadKind = 'file' | 'tree' | 'small-files' | 'stdin' | 'replace';
export type Side = 'alice' | 'bob';

export interface Load {
  readonly kind: LoadKind;
  /** The top-level name, at both ends. */
  readonly name: string;
  readonly from: Side;
  readonly to: Side;
  /** Makes a repeated send the same transfer. */
  readonly key: string;
  /** Bytes per second: holds the transfer open for the fault to find it. */
  readonly limitRate: number;
  readonly random: Random;
}

/** One to three, mostly from alice to bob. */
export const planLoads = (random: Random): Load[] => {
  const count = random.pick([1, 1, 2, 2, 3]);
  return Array.from({ length: count }, (_, index) => {
    const kind = random.pick<LoadKind>(['file', 'file', 'tree', 'small-files', 'stdin', 'replace']);
    const back = random.chance(0.25);
    return {
      kind, name: `${index}-${kind}`, from: back ? 'bob' : 'alice', to: back ? 'alice' : 'bob', key: `key-${index}`,
      limitRate: random.pick([MiB, 2 * MiB, 4 * MiB]), random: random.fork(`content-${index}`),
    };
  });
};

export interface Prepared extends Load {
  readonly path: string;
  readonly content: Digest;
  /** What stands in the destination before (kind `replace`). */
  readonly before: Digest | undefined;
}

/** Makes the content below `source` and, for what is replaced, its predecessor in `destination`. */
export const prepareLoad = (load: Load, source: string, destination: string): Prepared => {
  const path = join(source, load.name);
  const { random } = load;
  let before: Digest | undefined;
  switch (load.kind) {
    case 'file':
    case 'stdin':
      writeFileSync(path, random.bytes(random.pick([random.int(0, 64 * KiB), random.int(MiB, 6 * MiB), random.int(4 * MiB, 12 * MiB)])));
      break;
    case 'replace': {
      const bytes = random.bytes(random.int(2 * MiB, 8 * MiB));
      writeFileSync(path, bytes);
      // A part of it is as it was, so that it is a basis.
      writeFileSync(join(destination, load.name), Buffer.concat([bytes.subarray(0, random.int(0, bytes.length)), random.bytes(random.int(1, MiB))]));
      before = digestOf(join(destination, load.name));
      break;
    }
    case 'tree':
      makeTree(random, path);
      break;
    case 'small-files':
      mkdirSync(path);
      for (let index = random.int(200, 600); index >= 0; index -= 1) writeFileSync(join(path, `${index}`), random.bytes(random.int(0, 6 * KiB)));
  }
  return { ...load, path, content: digestOf(path), before };
};

const makeTree = (random: Random, root: string): void => {
  mkdirSync(root);
  const directories = [root];
  for (let index = random.int(2, 8); index > 0; index -= 1) {
    const directory = join(random.pick(directories), `d${index}`);
    mkdirSync(directory);
    directories.push(directory);
  }
  for (let index = random.int(5, 40); index > 0; index -= 1) {
    const size = random.chance(0.1) ? random.int(MiB, 2 * MiB) : random.int(0, 100 * KiB);
    writeFileSync(join(random.pick(directories), `f${index}`), random.bytes(size));
  }
  symlinkSync('f1', join(random.pick(directories), 'link'));
  // Latin-1, which is no UTF-8.
  writeFileSync(Buffer.concat([Buffer.from(`${random.pick(directories)}/caf`), Buffer.from([0xe9])]), 'odd name');
};
