/** The command line of bash as far as the cursor: which words stand there, and how the one under the cursor is quoted. */

export interface BashLine {
  /** Without quotes. The last one is being completed. */
  readonly words: readonly string[];
  /** The quote that is open at the cursor. */
  readonly quote: '' | "'" | '"';
  /** Characters of the last word that stand before the part that readline replaces. */
  readonly kept: number;
}

/** @param breaks COMP_WORDBREAKS: outside of quotes readline replaces only what stands behind the last of them */
export const parseBashLine = (line: string, breaks: string): BashLine => {
  const words: string[] = [];
  let word: string | undefined;
  let quote: BashLine['quote'] = '';
  let kept = 0;
  for (let index = 0; index < line.length; index += 1) {
    const char = line.charAt(index);
    const next = line.charAt(index + 1);
    if (quote !== '') {
      if (char === quote) quote = '';
      else if (char === '\\' && quote === '"' && next !== '' && '$`"\\'.includes(next)) {
        word = (word ?? '') + next;
        index += 1;
      } else word = (word ?? '') + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
      // Readline replaces what stands behind the quote.
      kept = word.length;
    } else if (char === '\\') {
      word = (word ?? '') + next;
      index += 1;
    } else if (char === ' ' || char === '\t' || char === '\n') {
      if (word !== undefined) words.push(word);
      word = undefined;
      kept = 0;
    } else {
      word = (word ?? '') + char;
      // An @ is replaced together with what follows it: it begins a host name for readline.
      if (breaks.includes(char)) kept = char === '@' ? word.length - 1 : word.length;
    }
  }
  return { words: [...words, word ?? ''], quote, kept };
};

/** So that bash reads it as it is, within the quote that is open. */
export const quoteForBash = (text: string, quote: BashLine['quote']): string => {
  if (quote === '"') return text.replace(/[$`"\\]/g, '\\$&');
  if (quote === "'") return text.replaceAll("'", String.raw`'\''`);
  return text.replace(/^~|[^\p{L}\p{M}\p{N}_.,:=@%+/~-]/gu, '\\$&');
};
