/** One transfer in one line of the terminal. What is least needed goes first when the screen is narrow. */
import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import type { Colors } from './output.ts';
import { formatBytes, formatRate, percent } from './sizes.ts';
import { formatDuration } from './times.ts';

export type ProgressView =
  | { readonly kind: 'waiting'; readonly text: string; readonly ms: number }
  | { readonly kind: 'moving'; readonly bytes: number; readonly bytesDone: number; readonly rate: number | undefined; readonly remainingMs: number | undefined };

const minBar = 8;
const maxBar = 40;

/** @param labels of all lines, so that they stand in one column */
export const progressLine = (label: string, labels: readonly string[], view: ProgressView, screen: number, colors: Colors): string => {
  const room = Math.max(10, screen - 1);
  const labelWidth = Math.min(Math.max(...labels.map((text) => stringWidth(text))), Math.max(6, Math.floor(room / 4)));
  const name = cliTruncate(label, labelWidth);
  const start = `${name}${' '.repeat(Math.max(0, labelWidth - stringWidth(name)))}  `;
  const rest = room - labelWidth - 2;
  return start + (view.kind === 'waiting' ? waiting(view, rest, colors) : moving(view, rest, colors));
};

const waiting = ({ text, ms }: Extract<ProgressView, { kind: 'waiting' }>, room: number, colors: Colors): string => {
  const time = ms < 2_000 ? '' : ` (${formatDuration(ms)})`;
  const width = Math.max(0, room - time.length);
  return width < 8 ? cliTruncate(text, Math.max(1, room)) : cliTruncate(text, width) + colors.dim(time);
};

const moving = ({ bytes, bytesDone, rate, remainingMs }: Extract<ProgressView, { kind: 'moving' }>, room: number, colors: Colors): string => {
  const done = percent(bytesDone, bytes);
  const percentText = `${done}%`.padStart(4);
  const amount = `${formatBytes(bytesDone)} of ${formatBytes(bytes)}`.padStart(22);
  const rateText = (rate === undefined ? '-' : formatRate(rate)).padStart(10);
  const eta = `ETA ${remainingMs === undefined ? '-' : formatDuration(remainingMs)}`.padEnd(11);
  const short = eta.replace('ETA ', '').trimEnd();
  const layouts = [[percentText, amount, rateText, eta], [percentText, rateText, eta], [percentText, rateText.trim(), short], [percentText, rateText.trim()], [percentText.trim()]];
  // A bar is dearer than the amounts, but rate and time to go are dearer than a bar.
  const width = (parts: readonly string[]): number => parts.join('  ').length;
  const withBar = layouts.slice(0, 2).find((parts) => width(parts) + 2 + minBar <= room);
  if (withBar === undefined) return (layouts.find((parts) => width(parts) <= room) ?? [percentText.trim()]).join('  ').trimEnd();
  const cells = Math.min(maxBar, room - width(withBar) - 2);
  const filled = bytes === 0 ? cells : Math.min(cells, Math.floor((Math.min(bytesDone, bytes) / bytes) * cells));
  return `${colors.cyan('█'.repeat(filled))}${colors.dim('░'.repeat(cells - filled))}  ${withBar.join('  ')}`.trimEnd();
};
