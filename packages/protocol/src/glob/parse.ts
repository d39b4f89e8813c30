/** Reads a pattern of names and paths. Every text is one: what is not closed means itself, as in a shell. */

export type Piece =
  /** One character. A wildcard may have to leave the dot at the begin of a name alone. */
  | { readonly kind: 'one'; readonly takes: Takes; readonly isWild: boolean }
  /** Any number of characters, none too. */
  | { readonly kind: 'run'; readonly takes: Takes }
  /** Directories with the slash behind them, or none. */
  | { readonly kind: 'directories' }
  | { readonly kind: 'choice'; readonly of: readonly (readonly Piece[])[] };

/** @param char one code point */
type Takes = (char: string) => boolean;

export const parseGlob = (pattern: string): Piece[] => new Parser(pattern).pieces(false);

const anything: Takes = () => true;
const notSlash: Takes = (char) => char !== '/';
const literal = (wanted: string): Piece => ({ kind: 'one', takes: (char) => char === wanted, isWild: false });
const everything: Piece = { kind: 'run', takes: anything };

class Parser {
  readonly #chars: readonly string[];
  /** Of braces that mean themselves: what stands behind one is not read for nothing twice. */
  readonly #noChoices = new Set<number>();
  #at = 0;

  constructor(pattern: string) {
    this.#chars = Array.from(pattern);
  }

  /** Up to the end, or to the end of an alternative. */
  pieces(isAlternative: boolean): Piece[] {
    const pieces: Piece[] = [];
    for (let char = this.#peek(); char !== undefined; char = this.#peek()) {
      if (isAlternative && (char === ',' || char === '}')) break;
      this.#at += 1;
      pieces.push(this.#piece(char));
    }
    return pieces;
  }

  #peek(): string | undefined {
    return this.#chars[this.#at];
  }

  #piece(char: string): Piece {
    switch (char) {
      case '*':
        return this.#stars();
      case '?':
        return { kind: 'one', takes: notSlash, isWild: true };
      case '[':
        return this.#set() ?? literal(char);
      case '{':
        return this.#choice() ?? literal(char);
      case '\\':
        return literal(this.#chars[this.#at++] ?? char);
      case '/':
        // `a/**` is a directory with all that is in it.
        if (this.#chars.slice(this.#at).join('') !== '**') return literal(char);
        this.#at += 2;
        return { kind: 'choice', of: [[], [literal(char), everything]] };
      default:
        return literal(char);
    }
  }

  #stars(): Piece {
    const begin = this.#at - 1;
    while (this.#peek() === '*') this.#at += 1;
    const isName = this.#at - begin > 1 && (begin === 0 || this.#chars[begin - 1] === '/');
    if (isName && this.#peek() === undefined) return everything;
    if (!isName || this.#peek() !== '/') return { kind: 'run', takes: notSlash };
    this.#at += 1;
    return { kind: 'directories' };
  }

  /** `[a-z]`, `[!a-z]`, `[^a-z]`; a bracket that comes first in it means itself. */
  #set(): Piece | undefined {
    let at = this.#at;
    const isOut = this.#chars[at] === '!' || this.#chars[at] === '^';
    if (isOut) at += 1;
    const ranges: (readonly [from: string, to: string])[] = [];
    for (let isFirst = true; isFirst || this.#chars[at] !== ']'; isFirst = false) {
      const from = this.#member(at);
      if (from === undefined) return undefined;
      at = from.end;
      const to = this.#chars[at] === '-' && this.#chars[at + 1] !== ']' ? this.#member(at + 1) : undefined;
      ranges.push([from.char, to?.char ?? from.char]);
      at = to?.end ?? at;
    }
    this.#at = at + 1;
    const isIn = (char: string): boolean => ranges.some(([from, to]) => codeOf(from) <= codeOf(char) && codeOf(char) <= codeOf(to));
    return { kind: 'one', takes: (char) => char !== '/' && isIn(char) !== isOut, isWild: true };
  }

  #member(at: number): { readonly char: string; readonly end: number } | undefined {
    const isEscape = this.#chars[at] === '\\';
    const char = this.#chars[isEscape ? at + 1 : at];
    return char === undefined ? undefined : { char, end: isEscape ? at + 2 : at + 1 };
  }

  /** `{a,b}`, in each other too. */
  #choice(): Piece | undefined {
    const begin = this.#at;
    if (this.#noChoices.has(begin)) return undefined;
    const of: Piece[][] = [];
    for (;;) {
      of.push(this.pieces(true));
      const end = this.#peek();
      this.#at += 1;
      if (end === ',') continue;
      if (end === '}' && of.length > 1) return { kind: 'choice', of };
      this.#noChoices.add(begin);
      this.#at = begin;
      return undefined;
    }
  }
}

const codeOf = (char: string): number => char.codePointAt(0) ?? 0;
