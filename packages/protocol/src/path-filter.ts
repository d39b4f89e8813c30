/**
 * Which paths of a source are sent. A pattern without a slash is compared with each name on the way, the given path's own
 * one too; a pattern with a slash with the path below the given one. A slash at its end means: only directories.
 */
import { Glob } from './glob/glob.ts';

export interface FilterPatterns {
  /** What fits is left out, a directory with everything in it. */
  readonly exclude: readonly string[];
  /** If there is any: only what fits, or lies in a directory that fits, is sent, and the directories that lead there. */
  readonly include: readonly string[];
}

/** The components from the given path's own name down, and whether it is a directory. */
type Fits = (components: readonly string[], isDirectory: boolean) => boolean;

const compile = (pattern: string): Fits => {
  const forDirectories = pattern.endsWith('/');
  const bare = pattern.replace(/\/+$/, '');
  const glob = new Glob(bare.replace(/^\.?\/+/, ''), { dot: true });
  const text = bare.includes('/') ? (components: readonly string[]): string => components.slice(1).join('/') : (components: readonly string[]): string => components.at(-1) ?? '';
  return (components, isDirectory) => {
    const subject = text(components);
    return (isDirectory || !forDirectories) && subject !== '' && glob.matches(subject);
  };
};

export class PathFilter {
  readonly #exclude: readonly Fits[];
  readonly #include: readonly Fits[];

  constructor({ exclude, include }: FilterPatterns) {
    this.#exclude = exclude.map(compile);
    this.#include = include.map(compile);
  }

  /** Whether something must fit to be sent. */
  get isSelective(): boolean {
    return this.#include.length > 0;
  }

  /** To be asked from the top down: nothing below what is left out is asked. */
  excludes(components: readonly string[], isDirectory: boolean): boolean {
    return this.#exclude.some((fits) => fits(components, isDirectory));
  }

  /** Whether this fits by itself: what lies in a directory that fits needs not be asked. */
  includes(components: readonly string[], isDirectory: boolean): boolean {
    return this.#include.some((fits) => fits(components, isDirectory));
  }
}
