/**
 * What a manifest may contain. Pure: no file system is asked.
 *
 * Refused are exactly the things that could leave the destination, hide each other or make no sense: everything else is
 * a legal name on Linux and must arrive, odd as it looks. Collisions are decided by the file system (EEXIST).
 */
import { type ManifestEntry, maxComponentBytes, maxPathComponents, maxSymlinkTargetBytes } from '@peerd/protocol';

const slash = 0x2f;
const dot = 0x2e;

/** Why this can't be a path component, or `undefined`. */
export const componentViolation = (component: Uint8Array): string | undefined => {
  if (component.length === 0) return 'an empty path component';
  if (component.length > maxComponentBytes) return `a path component of ${component.length} bytes, at most ${maxComponentBytes} are possible`;
  if (component[0] === dot && (component.length === 1 || (component.length === 2 && component[1] === dot))) return 'a path component `.` or `..`';
  if (component.includes(slash)) return 'a path component with `/`';
  if (component.includes(0)) return 'a path component with NUL';
  return undefined;
};

/**
 * Why a symbolic link at `path` may not have this target, or `undefined`.
 *
 * `..` is allowed only as a leading run that stays below the entry's own top-level directory. The directories above a
 * link are real directories, so a leading run means what it says; after it a path only goes down, or through another
 * link, for which the same holds. So no chain of links leaves the top-level directory.
 */
export const targetViolation = (path: readonly Uint8Array[], target: Uint8Array): string | undefined => {
  if (target.length === 0) return 'a symbolic link without a target';
  if (target.length > maxSymlinkTargetBytes) return `a symbolic link with a target of ${target.length} bytes, at most ${maxSymlinkTargetBytes} are possible`;
  if (target.includes(0)) return 'a symbolic link with NUL in its target';
  if (target[0] === slash) return 'a symbolic link with an absolute target';
  let up = 0;
  let leading = true;
  for (const step of split(target)) {
    if (step.length === 0 || (step.length === 1 && step[0] === dot)) continue;
    const isUp = step.length === 2 && step[0] === dot && step[1] === dot;
    if (!isUp) leading = false;
    else if (!leading) return 'a symbolic link with `..` behind a name in its target';
    else up += 1;
  }
  return up > Math.max(0, path.length - 2) ? 'a symbolic link that points outside of its top-level directory' : undefined;
};

const split = (target: Uint8Array): Uint8Array[] => {
  const steps: Uint8Array[] = [];
  let start = 0;
  for (let end = target.indexOf(slash); end >= 0; end = target.indexOf(slash, start)) {
    steps.push(target.subarray(start, end));
    start = end + 1;
  }
  steps.push(target.subarray(start));
  return steps;
};

/** Why this entry is refused whatever stands before it, or `undefined`. */
export const entryViolation = (entry: ManifestEntry): string | undefined => {
  if (entry.path.length === 0) return 'an empty path';
  if (entry.path.length > maxPathComponents) return `a path of ${entry.path.length} components, at most ${maxPathComponents} are allowed`;
  for (const component of entry.path) {
    const violation = componentViolation(component);
    if (violation !== undefined) return violation;
  }
  if (!Number.isInteger(entry.mode) || entry.mode < 0 || entry.mode > 0o777) return 'a mode above 0777';
  if (!Number.isSafeInteger(entry.size) || entry.size < 0) return 'a size that is not a whole number below 2^53';
  if (entry.type !== 'file' && entry.size !== 0) return `a ${entry.type} with a size`;
  if (!Number.isSafeInteger(entry.mtime[0]) || !Number.isInteger(entry.mtime[1]) || entry.mtime[1] < 0 || entry.mtime[1] > 999_999_999) return 'an impossible time';
  if (entry.type === 'symlink') return entry.target === undefined ? 'a symbolic link without a target' : targetViolation(entry.path, entry.target);
  return entry.target === undefined ? undefined : `a ${entry.type} with a link target`;
};

/**
 * Checks entries one after the other: each on its own, and its place in the order (depth first, a directory before what
 * is in it, siblings ascending by bytes). In this order the path of the entry before is all that is needed to tell a
 * duplicate, a missing parent, or a parent that is no directory.
 */
export class EntryOrder {
  #path: readonly Uint8Array[] = [];
  #isDirectory = true;
  #bytes = 0;

  /** Why the entry is refused, or `undefined` and the entry counts as the one before. */
  next(entry: ManifestEntry): string | undefined {
    const violation = entryViolation(entry) ?? this.#placeViolation(entry.path);
    if (violation !== undefined) return violation;
    if (!Number.isSafeInteger(this.#bytes + entry.size)) return 'sizes that add up to 2^53 bytes or more';
    this.#bytes += entry.size;
    this.#path = entry.path;
    this.#isDirectory = entry.type === 'directory';
    return undefined;
  }

  #placeViolation(path: readonly Uint8Array[]): string | undefined {
    const before = this.#path;
    let common = 0;
    while (common < path.length && common < before.length && equal(path[common], before[common])) common += 1;
    if (common === path.length) return 'a path that was there before';
    const parentIsOpen = path.length === common + 1;
    if (common === before.length) {
      if (!this.#isDirectory) return 'an entry below something that is no directory';
      return parentIsOpen ? undefined : 'an entry whose directory is missing';
    }
    if (Buffer.compare(path[common] ?? empty, before[common] ?? empty) < 0) return 'an entry out of order';
    return parentIsOpen ? undefined : 'an entry whose directory is missing';
  }
}

const empty = Buffer.alloc(0);
const equal = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean => a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;
