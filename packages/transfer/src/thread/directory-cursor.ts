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
  readonly fd: number;
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

  /** A path whose last component is not resolved yet. Valid until the next call. @throws errno errors of the directories above */
  path(components: readonly Uint8Array[]): Buffer {
    const name = components.at(-1);
    if (name === undefined) throw new Error('a path has at least one component');
    if (components.length === 1) return this.#topLevel(name);
    return inDirectory(this.directory(components.slice(0, -1)), name);
  }

  /** The descriptor of a directory; it stays the cursor's own. Valid until the next call. */
  directory(components: readonly Uint8Array[]): number {
    let depth = 0;
    while (depth < components.length && depth < this.#stack.length && this.#stack[depth]?.name.equals(components[depth] ?? empty) === true) depth += 1;
    this.#closeBelow(depth);
    for (const component of components.slice(depth)) {
      const above = this.#stack.at(-1);
      const fd = this.#open(above === undefined ? this.#topLevel(component) : inDirectory(above.fd, component));
      this.#stack.push({ name: Buffer.from(component), fd });
    }
    const last = this.#stack.at(-1);
    if (last === undefined) throw new Error('a path has at least one component');
    return last.fd;
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
