/** The person, or a line of a pipe, says whether both see the same code. */
import { createInterface } from 'node:readline';
import { PeerdError } from '@peerd/protocol/errors';
import type { Context } from '../context.ts';
import { interrupted } from '../interrupts.ts';

/** `undefined`: it is not asked any more. @throws PeerdError `invalid_argument`: the input ended, or says something else */
export const askSame = async ({ output, interrupts }: Context, who: string, signal: AbortSignal): Promise<boolean | undefined> => {
  const isTerminal = !output.json && process.stdin.isTTY;
  const reader = createInterface({ input: process.stdin, ...(isTerminal ? { output: output.stderr } : {}), terminal: isTerminal });
  const stop = (): void => reader.close();
  signal.addEventListener('abort', stop, { once: true });
  // In raw mode Ctrl-C is a character, not a signal.
  reader.on('SIGINT', () => {
    output.stderr.write('\n');
    interrupts.abort(interrupted('given up: nothing was changed'));
  });
  reader.setPrompt(`Does ${who} see the same code? [y/N] `);
  if (isTerminal) reader.prompt();
  try {
    for await (const line of reader) {
      const said = line.trim().toLowerCase();
      if (said === 'y' || said === 'yes') return true;
      if (said === 'n' || said === 'no' || (said === '' && isTerminal)) return false;
      if (!isTerminal) throw new PeerdError('invalid_argument', 'the answer is yes or no', { hint: 'Write one line, yes or no, to the standard input.' });
      reader.prompt();
    }
    if (signal.aborted) return undefined;
    throw new PeerdError('invalid_argument', 'the input ended before it said whether the codes are the same', { hint: 'Write one line, yes or no, to the standard input. Nothing was changed.' });
  } finally {
    signal.removeEventListener('abort', stop);
    reader.close();
    process.stdin.pause();
  }
};
