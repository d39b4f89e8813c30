/**
 * Tables without borders, measured in terminal cells: wide characters count two. On a terminal no line is longer than the
 * screen; columns that may shrink are cut with `…`. Elsewhere nothing is cut.
 */
import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import type { Colors } from './output.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'right';
  /** Least width to which the column is cut when the screen is narrow; without it it is shown in full. */
  readonly min?: number;
  /** Left out first (1), second (2), … when the screen is too narrow even for the least widths. */
  readonly drop?: number;
  /** Where a long text loses its characters; paths keep both ends. */
  readonly cut?: 'middle' | 'end';
  readonly style?: (text: string, row: number) => string;
}

const gap = '  ';

export const table = (columns: readonly Column[], rows: readonly (readonly string[])[], screen: number | undefined, colors: Colors): string[] => {
  const natural = columns.map((column, index) => Math.max(stringWidth(column.title), ...rows.map((row) => stringWidth(row[index] ?? ''))));
  const { shown, widths } = fit(columns, natural, screen);
  const line = (cells: readonly string[], style: (text: string, column: number) => string): string =>
    shown
      .map((column, position) => {
        const width = widths[position] ?? 0;
        const text = cliTruncate(cells[column] ?? '', width, { position: columns[column]?.cut ?? 'end' });
        const padding = ' '.repeat(Math.max(0, width - stringWidth(text)));
        if (columns[column]?.align === 'right') return padding + style(text, column);
        return style(text, column) + (position === shown.length - 1 ? '' : padding);
      })
      .join(gap)
      .trimEnd();
  return [
    line(columns.map(({ title }) => title), (text) => colors.bold(text)),
    ...rows.map((row, number) => line(row, (text, column) => columns[column]?.style?.(text, number) ?? text)),
  ];
};

const fit = (columns: readonly Column[], natural: readonly number[], screen: number | undefined): { shown: number[]; widths: number[] } => {
  let shown = columns.map((_, index) => index);
  if (screen === undefined) return { shown, widths: [...natural] };
  const least = (index: number): number => Math.min(natural[index] ?? 0, columns[index]?.min ?? natural[index] ?? 0);
  const total = (width: (index: number) => number): number => shown.reduce((sum, index) => sum + width(index), gap.length * (shown.length - 1));
  const droppable = shown.filter((index) => columns[index]?.drop !== undefined).sort((a, b) => (columns[a]?.drop ?? 0) - (columns[b]?.drop ?? 0));
  // The last cell of a line stays free: some terminals wrap when it is written.
  const room = screen - 1;
  while (total(least) > room && droppable.length > 0) {
    const dropped = droppable.shift();
    shown = shown.filter((index) => index !== dropped);
  }
  const widths = new Map(shown.map((index) => [index, natural[index] ?? 0]));
  const width = (index: number): number => widths.get(index) ?? 0;
  // The widest column that may still shrink gives one cell at a time.
  for (let excess = total(width) - room; excess > 0; excess -= 1) {
    const widest = shown.filter((index) => width(index) > Math.max(1, least(index))).sort((a, b) => width(b) - width(a))[0];
    if (widest === undefined) break;
    widths.set(widest, width(widest) - 1);
  }
  return { shown, widths: shown.map(width) };
};

/** `key  value` lines; a long value goes on below its beginning. */
export const keyValues = (pairs: readonly (readonly [string, string])[], screen: number | undefined, colors: Colors): string[] => {
  const width = Math.max(...pairs.map(([key]) => stringWidth(key)));
  const indent = ' '.repeat(width + gap.length);
  const room = screen === undefined ? Infinity : Math.max(10, screen - 1 - indent.length);
  return pairs.flatMap(([key, value]) => {
    const [first = '', ...more] = room === Infinity ? [value] : wrapAnsi(value, room, { hard: true }).split('\n');
    return [`${colors.dim(key.padEnd(width))}${gap}${first}`, ...more.map((line) => indent + line)];
  });
};
