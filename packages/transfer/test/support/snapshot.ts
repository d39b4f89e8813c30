/** Everything about a tree that a write, a chmod, a link or a removal would change: `ctime` alone tells of most of them. */
import { createHash } from 'node:crypto';
import { type BigIntStats, closeSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';

/** By latin1 path; the root itself has an empty one. */
export type Snapshot = Readonly<Record<string, string>>;

type Say = (stat: BigIntStats, content: string) => string;

/** By descriptors: a tree may be deeper than the path of a system call. */
const walk = (root: string, say: Say): Snapshot => {
  const seen: Record<string, string> = {};
  const visit = (at: Buffer, shown: string): void => {
    const stat = lstatSync(at, { bigint: true });
    const content = stat.isFile() ? createHash('sha256').update(readFileSync(at)).digest('hex') : stat.isSymbolicLink() ? readlinkSync(at, 'latin1') : '';
    seen[shown] = say(stat, content);
    if (!stat.isDirectory()) return;
    const fd = openSync(at, 'r');
    for (const name of readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' })) visit(Buffer.from(`/proc/self/fd/${fd}/${name}`, 'latin1'), `${shown}/${name}`);
    closeSync(fd);
  };
  visit(Buffer.from(root), '');
  return seen;
};

export const snapshot = (root: string): Snapshot =>
  walk(root, (stat, content) => [stat.mode.toString(8), stat.uid, stat.ino, stat.nlink, stat.size, stat.mtimeNs, stat.ctimeNs, content].join(' '));

/** What a sender can tell of its files: kind and permissions, the time in seconds, content. */
export const described = (root: string): Snapshot => walk(root, ({ mode, mtimeNs }, content) => [mode.toString(8), Math.floor(Number(mtimeNs) / 1e9), content].join(' '));

/** A tree outside of every destination, with names that a transfer may bear too. */
export const makeCanary = (root: string, names: readonly string[], content = 'canary'): void => {
  for (const directory of ['', '/sub', '/t', '/destination']) mkdirSync(`${root}${directory}`, { recursive: true, mode: 0o755 });
  for (const directory of ['', '/sub', '/t', '/destination']) for (const name of ['kept', ...names]) writeFileSync(`${root}${directory}/${name}`, content, { mode: 0o640 });
};
