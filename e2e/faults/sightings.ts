/**
 * Looks at a destination again and again while a run goes on: under a final name stands the whole thing, or what was there
 * before, or nothing. A directory is claimed by an empty one, over which the real one is moved; it counts as nothing.
 */
import { readdirSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestOf, emptyDirectory } from './digest.ts';
import type { Prepared } from './load.ts';

const lookEveryMs = 25;
/** Of staging; it never shows a final name. */
const hidden = /^\.(peerd-|filler$)/;

export class Sightings implements Disposable {
  /** By what was sent, or the name that nothing was sent under. */
  readonly wrong: { readonly name: string; readonly what: string }[] = [];
  readonly #directory: string;
  readonly #expected: ReadonlyMap<string, Prepared>;
  readonly #seen = new Map<string, string>();
  readonly #timer: NodeJS.Timeout;

  constructor(directory: string, loads: readonly Prepared[]) {
    this.#directory = directory;
    this.#expected = new Map(loads.map((load) => [load.name, load]));
    this.#timer = setInterval(() => this.look(), lookEveryMs);
  }

  look(): void {
    for (const name of readdirSync(this.#directory)) {
      if (hidden.test(name)) continue;
      try {
        const { ino, size, mtimeMs, nlink } = lstatSync(join(this.#directory, name));
        const mark = `${ino} ${size} ${mtimeMs} ${nlink}`;
        if (this.#seen.get(name) === mark) continue;
        this.#judge(name, digestOf(join(this.#directory, name)));
        this.#seen.set(name, mark);
      } catch (error) {
        // An empty claim may give way between two calls.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  }

  /** What stands under the name. */
  stands(name: string): Digest | undefined {
    try {
      return digestOf(join(this.#directory, name));
    } catch {
      return undefined;
    }
  }

  /** What stands there besides. */
  strangers(): string[] {
    return readdirSync(this.#directory).filter((name) => !this.#expected.has(name));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #judge(name: string, digest: Digest): void {
    const load = this.#expected.get(name);
    if (!load) this.wrong.push({ name: originalOf(name), what: `"${name}" appeared in the destination: a second delivery, or nothing that was sent` });
    else if (digest !== load.content && digest !== load.before && digest !== emptyDirectory) this.wrong.push({ name, what: `"${name}" was seen under its final name, and was not what was sent` });
  }
}

/** `tree` of `tree (1)`, the name of a second delivery. */
export const originalOf = (name: string): string => name.replace(/ \(\d+\)$/, '');
