/**
 * Patterns of names and paths, as in a shell: `*` and `?` stand for characters of one name, `**` as a whole name for
 * directories too, `[a-z]`, `[!a-z]`, `{a,b}`, and `\` before a character that means itself.
 *
 * The names come from others, so none may take long. A pattern is made an automaton whose states are all followed at
 * once (Thompson, "Regular expression search algorithm", CACM 11(6), 1968): a name costs its length times that of the pattern
 * at most, where a regular expression that goes back costs a power of it.
 */
import { parseGlob, type Piece } from './parse.ts';

export interface GlobOptions {
  /** Whether a wildcard takes the dot at the begin of a name. In a shell it does not. */
  readonly dot: boolean;
}

/** Takes a character and goes on, or goes on without, to several. Where they go on are places in the list of states. */
type State = { readonly isWild: boolean } & ({ readonly takes: (char: string) => boolean; readonly next: number } | { readonly fork: readonly number[] });

export class Glob {
  readonly #states: State[] = [];
  /** All was taken. */
  readonly #end: State = { isWild: false, fork: [] };
  readonly #start: number;
  readonly #dot: boolean;

  constructor(pattern: string, { dot }: GlobOptions) {
    this.#start = this.#sequence(parseGlob(pattern), this.#add(this.#end));
    this.#dot = dot;
  }

  /** Whether all of it fits. */
  matches(text: string): boolean {
    let current = [this.#start];
    let isBegin = true;
    for (const char of text) {
      const next = new Set<number>();
      for (const state of this.#reached(current, isBegin && char === '.' && !this.#dot)) if ('takes' in state && state.takes(char)) next.add(state.next);
      if (next.size === 0) return false;
      current = [...next];
      isBegin = char === '/';
    }
    return this.#reached(current, false).includes(this.#end);
  }

  /** The states in these places, and all that they lead to without a character. @param isHidden no wildcard has a say in what comes now, not even by taking nothing */
  #reached(from: readonly number[], isHidden: boolean): State[] {
    const places = new Set(from);
    const reached: State[] = [];
    for (const place of places) {
      const state = this.#states[place];
      if (state === undefined || (isHidden && state.isWild)) continue;
      reached.push(state);
      if ('fork' in state) for (const next of state.fork) places.add(next);
    }
    return reached;
  }

  #add(state: State): number {
    return this.#states.push(state) - 1;
  }

  /** @param next where it goes on behind them @returns where they begin */
  #sequence(pieces: readonly Piece[], next: number): number {
    return pieces.reduceRight((behind, piece) => this.#piece(piece, behind), next);
  }

  #piece(piece: Piece, next: number): number {
    switch (piece.kind) {
      case 'one':
        return this.#add({ isWild: piece.isWild, takes: piece.takes, next });
      case 'run':
        return this.#run(piece.takes, next);
      case 'directories':
        return this.#add({ isWild: false, fork: [next, this.#run(() => true, this.#add({ isWild: false, takes: (char) => char === '/', next }))] });
      case 'choice':
        return this.#add({ isWild: false, fork: piece.of.map((pieces) => this.#sequence(pieces, next)) });
    }
  }

  #run(takes: (char: string) => boolean, next: number): number {
    const fork: number[] = [next];
    const begin = this.#add({ isWild: true, fork });
    fork.push(this.#add({ isWild: true, takes, next: begin }));
    return begin;
  }
}

/** Why it is no pattern to be used; `undefined` if it is one. */
export const globProblem = (pattern: string): string | undefined => {
  // Slashes at the end say something of the kind of entry, and are taken off.
  if (/^\/*$/.test(pattern)) return 'it is empty';
  return pattern.includes('\0') ? 'it has a NUL' : undefined;
};
