/** What is sent in a run: content, names and direction, all from the seed. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestOf } from './digest.ts';
import type { Random } from './random.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
/** The least that peerctl takes. */
const leastRate = KiB;

type LoadKind = 'file' | 'tree' | 'small-files' | 'stdin' | 'replace';
export type Side = 'alice' | 'bob';

export interface Load {
  readonly kind: LoadKind;
  /** The top-level name, at both ends. */
  readonly name: string;
  readonly from: Side;
  readonly to: Side;
  /** Makes a repeated send the same transfer. */
  readonly key: string;
  /** How long the content takes at its rate limit: so that the fault finds it under way. */
  readonly lastsMs: number;
  readonly random: Random;
}

/** One to three, mostly from alice to bob. @param spool whether the state directory has room for what is uploaded: 256 MiB more than that */
export const planLoads = (random: Random, spool: boolean): Load[] => {
  const count = random.pick([1, 1, 2, 2, 3]);
  return Array.from({ length: count }, (_, index) => {
    const drawn = random.pick<LoadKind>(['file', 'file', 'tree', 'small-files', 'stdin', 'replace']);
    const kind = drawn === 'stdin' && !spool ? 'file' : drawn;
    const back = random.chance(0.25);
    return {
      kind, name: `${index}-${kind}`, from: back ? 'bob' : 'alice', to: back ? 'alice' : 'bob', key: `key-${index}`,
      lastsMs: random.int(1_000, 6_000), random: random.fork(`content-${index}`),
    };
  });
};

export interface Prepared extends Load {
  readonly path: string;
  /** Bytes per second. */
  readonly limitRate: number;
  readonly content: Digest;
  /** What stands in the destination before (kind `replace`). */
  readonly before: Digest | undefined;
}

/** Makes the content below `source` and, for what is replaced, its predecessor in `destination`. */
export const prepareLoad = (load: Load, source: string, destination: string): Prepared => {
  const path = join(source, load.name);
  const { bytes, before } = makeContent(load, path, join(destination, load.name));
  return { ...load, path, before, limitRate: Math.max(leastRate, Math.round((bytes * 1_000) / load.lastsMs)), content: digestOf(path) };
};

/** @returns the bytes of content */
const makeContent = ({ kind, random }: Load, path: string, final: string): { bytes: number; before?: Digest } => {
  switch (kind) {
    case 'file':
    case 'stdin':
      return { bytes: write(path, random.bytes(random.pick([random.int(0, 64 * KiB), random.int(MiB, 6 * MiB), random.int(4 * MiB, 12 * MiB)]))) };
    case 'replace': {
      const content = random.bytes(random.int(2 * MiB, 8 * MiB));
      // A part of it is as it was, so that it is a basis.
      write(final, Buffer.concat([content.subarray(0, random.int(0, content.length)), random.bytes(random.int(1, MiB))]));
      return { bytes: write(path, content), before: digestOf(final) };
    }
    case 'tree':
      return { bytes: makeTree(random, path) };
    case 'small-files': {
      mkdirSync(path);
      let bytes = 0;
      for (let index = random.int(200, 600); index > 0; index -= 1) bytes += write(join(path, `${index}`), random.bytes(random.int(0, 6 * KiB)));
      return { bytes };
    }
  }
};

const makeTree = (random: Random, root: string): number => {
  mkdirSync(root);
  const directories = [root];
  for (let index = random.int(2, 8); index > 0; index -= 1) {
    const directory = join(random.pick(directories), `d${index}`);
    mkdirSync(directory);
    directories.push(directory);
  }
  let bytes = 0;
  for (let index = random.int(5, 40); index > 0; index -= 1) {
    const size = random.chance(0.1) ? random.int(MiB, 2 * MiB) : random.int(0, 100 * KiB);
    bytes += write(join(random.pick(directories), `f${index}`), random.bytes(size));
  }
  symlinkSync('f1', join(random.pick(directories), 'link'));
  // Latin-1, which is no UTF-8.
  return bytes + write(Buffer.concat([Buffer.from(`${random.pick(directories)}/caf`), Buffer.from([0xe9])]), Buffer.from('odd name'));
};

const write = (path: string | Buffer, content: Buffer): number => {
  writeFileSync(path, content);
  return content.length;
};
