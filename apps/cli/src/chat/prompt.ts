/** Lines from the person or a pipe, and a place above what is being typed. */
import { clearScreenDown, createInterface, cursorTo, moveCursor } from 'node:readline';
import type { Output } from '../ui/output.ts';

export interface Prompt {
  readonly isTerminal: boolean;
  /** What is entered, until the end of the input or `close`. */
  readonly lines: AsyncIterable<string>;
  /** Shows a line without disturbing what is being typed. */
  above(text: string): void;
  /** Calls back on Ctrl-C, which is no signal while a terminal is read key by key. */
  onInterrupt(listener: () => void): void;
  close(): void;
}

export const openPrompt = (output: Output): Prompt => {
  const isTerminal = !output.json && process.stdin.isTTY && output.stdout.isTTY;
  const reader = isTerminal
    ? createInterface({ input: process.stdin, output: output.stdout, prompt: output.colors.dim('> '), terminal: true, historySize: 100 })
    : createInterface({ input: process.stdin, terminal: false, crlfDelay: Infinity });
  const lines = reader[Symbol.asyncIterator]();
  let open = true;
  reader.once('close', () => {
    open = false;
  });
  if (isTerminal) {
    reader.on('line', () => open && reader.prompt());
    reader.prompt();
  }
  return {
    isTerminal,
    lines,
    above: (text) => {
      if (!isTerminal || !open) return output.line(text);
      const { rows } = reader.getCursorPos();
      moveCursor(output.stdout, 0, -rows);
      cursorTo(output.stdout, 0);
      clearScreenDown(output.stdout);
      output.line(text);
      reader.prompt(true);
    },
    onInterrupt: (listener) => void reader.on('SIGINT', listener),
    close: () => {
      if (!open) return;
      reader.close();
      process.stdin.pause();
    },
  };
};
