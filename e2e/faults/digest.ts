/** One number for everything that stands under a name: types, names, content and link targets. */
import { createHash, type Hash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

export type Digest = string;

export const emptyDirectory: Digest = 'an empty directory';

const slash = Buffer.from('/');

/** @throws the error of the system, ENOENT for what is not there */
export const digestOf = (path: string | Buffer): Digest => {
  const at = Buffer.from(path);
  if (lstatSync(at).isDirectory() && readdirSync(at).length === 0) return emptyDirectory;
  const hash = createHash('sha256');
  add(hash, at);
  return hash.digest('hex');
};

/** Whether everything that stands there is the same in the other tree: directories, files and links. */
export const isPartOf = (path: string | Buffer, whole: string | Buffer): boolean => {
  const [at, other] = [Buffer.from(path), Buffer.from(whole)];
  try {
    if (!lstatSync(at).isDirectory()) return digestOf(at) === digestOf(other);
    return lstatSync(other).isDirectory() && readdirSync(at, { encoding: 'buffer' }).every((name) => isPartOf(Buffer.concat([at, slash, name]), Buffer.concat([other, slash, name])));
  } catch {
    return false;
  }
};

const add = (hash: Hash, path: Buffer): void => {
  const stats = lstatSync(path);
  if (stats.isSymbolicLink()) return void hash.update('link\0').update(readlinkSync(path, { encoding: 'buffer' })).update('\0');
  if (!stats.isDirectory()) return void hash.update(`file\0${stats.size}\0`).update(readFileSync(path));
  const names = readdirSync(path, { encoding: 'buffer' }).sort((one, other) => one.compare(other));
  hash.update(`directory\0${names.length}\0`);
  for (const name of names) {
    hash.update(name).update('\0');
    add(hash, Buffer.concat([path, slash, name]));
  }
};
