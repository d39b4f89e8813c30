/** Trees on disk, made from a description and described again, byte for byte. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { chmod, lutimes, mkdir, symlink, utimes, writeFile } from 'node:fs/promises';

/** A path of bytes, as latin1. */
export type Tree = Record<string, TreeNode>;

type TreeNode =
  | { type: 'file'; content: Buffer; mode?: number; mtime?: number }
  | { type: 'directory'; mode?: number; mtime?: number }
  | { type: 'symlink'; target: string; mtime?: number };

export const bytes = (latin1: string): Buffer => Buffer.from(latin1, 'latin1');
/** A name as it is typed, in the form that the trees use. */
export const name = (text: string): string => Buffer.from(text).toString('latin1');

const at = (root: string, path: string): Buffer => bytes(path === '' ? root : `${root}/${path}`);

export const makeTree = async (root: string, tree: Tree): Promise<void> => {
  const paths = Object.entries(tree);
  for (const [path, node] of paths) {
    const full = at(root, path);
    if (node.type === 'directory') await mkdir(full, { recursive: true });
    else if (node.type === 'file') await writeFile(full, node.content);
    else await symlink(bytes(node.target), full);
  }
  for (const [path, node] of paths.toReversed()) {
    const full = at(root, path);
    if (node.type === 'symlink') await lutimes(full, 1, node.mtime ?? 1_700_000_000.25);
    else {
      await utimes(full, 1, node.mtime ?? 1_700_000_000.25);
      await chmod(full, node.mode ?? (node.type === 'file' ? 0o644 : 0o755));
    }
  }
};

export interface Described {
  readonly type: string;
  readonly mode: string;
  readonly micros: string;
  readonly content: string;
}

/** What `diff -r --no-dereference` and `stat` would show of everything below `root`, by latin1 path. */
export const describeTree = async (root: string): Promise<Record<string, Described>> => {
  const result: Record<string, Described> = {};
  // Synchronous: ten thousand files take a tenth of the time.
  const visit = (path: string): void => {
    for (const entry of readdirSync(at(root, path), { encoding: 'buffer' })) {
      const child = path === '' ? entry.toString('latin1') : `${path}/${entry.toString('latin1')}`;
      const full = at(root, child);
      const stat = lstatSync(full, { bigint: true });
      const type = stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'symlink' : stat.isFile() ? 'file' : 'special';
      const content = type === 'file' ? readableHash(full, stat.mode) : type === 'symlink' ? readlinkSync(full, 'buffer').toString('latin1') : '';
      result[child] = { type, mode: (stat.mode & 0o7777n).toString(8), micros: (stat.mtimeNs / 1_000n).toString(), content };
      // A name that is only reserved: empty, and nobody may look into it.
      if (type === 'directory' && (process.getuid?.() === 0 || (stat.mode & 0o500n) === 0o500n)) visit(child);
    }
  };
  visit('');
  return Object.fromEntries(Object.entries(result).sort(([a], [b]) => (a < b ? -1 : 1)));
};

const readableHash = (path: Buffer, mode: bigint): string => createHash('sha256').update(process.getuid?.() === 0 || (mode & 0o400n) !== 0n ? readFileSync(path) : '').digest('hex');

/** Directories within each other, and a file in the last: deeper than a path of a system call may be long. */
export const makeDeep = (root: string, component: string, depth: number): void => {
  let fd = openSync(root, 'r');
  for (let level = 0; level < depth; level += 1) {
    mkdirSync(`/proc/self/fd/${fd}/${component}`);
    const below = openSync(`/proc/self/fd/${fd}/${component}`, 'r');
    closeSync(fd);
    fd = below;
  }
  writeFileSync(`/proc/self/fd/${fd}/file`, 'deep');
  closeSync(fd);
};

export const makeFifo = (path: string): void => {
  execFileSync('sh', ['-c', 'mkfifo "$0"', path]);
};
