/**
 * Reaches paths below a root one directory at a time, as `openat` with O_NOFOLLOW would: Node has no openat, but
 * `/proc/self/fd/N/name` means the same. So a directory that is swapped for a symbolic link never leads elsewhere, and
 * a path may be longer than PATH_MAX. Entries that come in manifest order share their open directories.
 */
import { closeSync, constants, lstatSync, openSync } from 'node:fs';
import { chmodItself } from './system-calls.ts';

/** Opens a directory itself, never what a link points to. */
export const openDirectory = (path: Buffer | string): number =>
  openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_NONBLOCK);

/** One of ours: its final mode may forbid us to read it or to take out what is in it. */
export const openOwnDirectory = (path: Buffer): number => {
  if ((lstatSync(path).mode & 0o700) !== 0o700) chmodItself(path, 0o700);
  return openDirectory(path);
};

/** `name` in the directory that is open as `fd`. */
export const inDirectory = (fd: number, name: Uint8Array): Buffer => Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), name]);

/** Where the first component of a path is found. */
export type TopLevelPath = (name: Uint8Array) => Buffer;

interface OpenDirectory {
  readonly name: Buffer;
  /** The same name in the paths that were asked for last: to compare objects is quicker than to compare bytes. */
  seen: Uint8Array;
  readonly fd: number;
  /** What stands before a name in it. */
  readonly prefix: Buffer;
}

export class DirectoryCursor {
  readonly #topLevel: TopLevelPath;
  readonly #open: (path: Buffer) => number;
  readonly #stack: OpenDirectory[] = [];

  /** @param open replaced where a directory that can't be opened is repaired first */
  constructor(topLevel: TopLevelPath, open: (path: Buffer) => number = openDirectory) {
    this.#topLevel = topLevel;
    this.#open = open;
  }

  /** Is another object whenever another directory has been entered. */
  get current(): object {
    return this.#stack.at(-1) ?? this.#stack;
  }

  /** A path whose last component is not resolved yet. Valid until the next call. @throws errno errors of the directories above */
  path(components: readonly Uint8Array[]): Buffer {
    const name = components.at(-1);
    if (name === undefined) throw new Error('a path has at least one component');
    const directory = this.#enter(components, components.length - 1);
    return directory === undefined ? this.#topLevel(name) : Buffer.concat([directory.prefix, name]);
  }

  /** The descriptor of a directory; it stays the cursor's own. Valid until the next call. */
  directory(components: readonly Uint8Array[]): number {
    const directory = this.#enter(components, components.length);
    if (directory === undefined) throw new Error('a path has at least one component');
    return directory.fd;
  }

  /** Makes the directory of the first `depth` components the deepest that is open. `undefined`: that is the root. */
  #enter(components: readonly Uint8Array[], depth: number): OpenDirectory | undefined {
    let common = 0;
    while (common < depth && common < this.#stack.length && isSame(this.#stack[common], components[common])) common += 1;
    this.#closeBelow(common);
    for (; common < depth; common += 1) {
      const component = components[common] ?? empty;
      const above = this.#stack.at(-1);
      const fd = this.#open(above === undefined ? this.#topLevel(component) : Buffer.concat([above.prefix, component]));
      this.#stack.push({ name: Buffer.from(component), seen: component, fd, prefix: inDirectory(fd, empty) });
    }
    return this.#stack.at(-1);
  }

  close(): void {
    this.#closeBelow(0);
  }

  #closeBelow(depth: number): void {
    for (let top = this.#stack.length; top > depth; top -= 1) {
      const directory = this.#stack.pop();
      if (directory !== undefined) closeSync(directory.fd);
    }
  }
}

const empty = Buffer.alloc(0);

const isSame = (directory: OpenDirectory | undefined, component: Uint8Array | undefined): boolean => {
  if (directory === undefined || component === undefined) return false;
  if (directory.seen === component) return true;
  if (!directory.name.equals(component)) return false;
  directory.seen = component;
  return true;
};
