import type { DoctorCheck } from '@peerd/protocol';
import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import type { Colors } from './output.ts';

/** With less room than that beside the names, texts stand below them. */
const besideColumns = 40;

/** One paragraph per check: state, name, what was found, and what to do. */
export const doctorLines = (checks: readonly DoctorCheck[], screen: number | undefined, colors: Colors): string[] => {
  const nameWidth = Math.max(...checks.map(({ name }) => stringWidth(name)));
  const beside = screen === undefined || screen - nameWidth >= besideColumns;
  const indent = ' '.repeat(beside ? 4 + 2 + nameWidth + 2 : 6);
  const room = screen === undefined ? Infinity : Math.max(20, screen - 1 - indent.length);
  const wrapped = (text: string): string[] => (room === Infinity ? [text] : wrapAnsi(text, room, { hard: true }).split('\n'));
  const paint = { ok: colors.green, warn: colors.yellow, fail: colors.red };
  return checks.flatMap(({ name, state, message, hint }) => {
    const shown = beside || screen === undefined ? name : cliTruncate(name, screen - 1 - indent.length, { position: 'middle' });
    const head = `${paint[state](state)}${' '.repeat(4 - state.length)}  ${shown}`;
    const texts = [...wrapped(message), ...(hint === null ? [] : wrapped(`${colors.cyan('do:')} ${hint}`))];
    if (!beside) return [head, ...texts.map((text) => indent + text)];
    const [first = '', ...more] = texts;
    return [`${head}${' '.repeat(nameWidth - stringWidth(name))}  ${first}`, ...more.map((text) => indent + text)];
  });
};
