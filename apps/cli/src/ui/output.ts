/** Where a command writes: stdout for what was asked, stderr for errors, warnings and questions. */
import { createColors } from 'picocolors';

export type Colors = ReturnType<typeof createColors>;

export interface Output {
  readonly json: boolean;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Colours for stdout: none unless it is a terminal. */
  readonly colors: Colors;
  readonly errorColors: Colors;
  /** Columns of the terminal; `undefined`: stdout is no terminal, so nothing is cut. */
  columns(): number | undefined;
  line(text?: string): void;
  document(value: unknown): void;
  warn(text: string): void;
  /** What a person should know, on stderr; nothing with `--json`. */
  note(text: string): void;
}

/** The types of Node say that it is always there; for a pipe it is not. */
const isTerminal = (stream: { readonly isTTY?: boolean }): boolean => stream.isTTY ?? false;

/**
 * https://no-color.org: any value that is not empty. Never `undefined`: picocolors decides by itself where it is told
 * nothing, and colours a pipe in CI.
 */
const colorful = (stream: NodeJS.WriteStream): boolean => isTerminal(stream) && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';

export const createOutput = (json: boolean): Output => {
  const { stdout, stderr } = process;
  const errorColors = createColors(colorful(stderr));
  return {
    json,
    stdout,
    stderr,
    colors: createColors(colorful(stdout)),
    errorColors,
    columns: () => (stdout.isTTY ? stdout.columns || 80 : undefined),
    line: (text = '') => void stdout.write(`${text}\n`),
    document: (value) => void stdout.write(`${JSON.stringify(value)}\n`),
    note: (text) => void (json || stderr.write(`${text}\n`)),
    warn: (text) => void stderr.write(`${errorColors.yellow('warning:')} ${text}\n`),
  };
};
