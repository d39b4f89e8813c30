/**
 * Ctrl-C during a send. The transfer is the daemon's, so leaving it means to detach: on a terminal the person is asked
 * whether to cancel it instead; elsewhere, and on a second Ctrl-C, peerctl detaches with exit code 130.
 */
import type { TransferSummary } from '@peerd/protocol';
import { failureOf, hasCode } from '../client/failure.ts';
import type { Context } from '../context.ts';
import { interrupted } from '../interrupts.ts';
import type { Reporter } from './reporter.ts';

/** Disposed: the question, if one stands, is taken back and its line is ended. */
export const onInterrupt = (context: Context, unfinished: () => readonly TransferSummary[], reporter: Reporter): AsyncDisposable => {
  const { interrupts, output } = context;
  const question = new AbortController();
  const detach = (): void => {
    const ids = unfinished().map(({ id }) => id);
    const [first = 'ID'] = ids;
    interrupts.abort(interrupted(ids.length === 1 ? `detached: transfer ${first} goes on` : `detached: ${ids.length} transfers go on`, `\`peerctl transfers --watch\` shows ${ids.length === 1 ? 'it' : 'them'}, \`peerctl cancel ${first}\` ends ${ids.length === 1 ? 'it' : 'one'}.`));
  };
  const mayAsk = !output.json && process.stdin.isTTY && output.stderr.isTTY;
  let asking: Promise<void> | undefined;
  const choose = async (): Promise<void> => {
    reporter.pause(true);
    try {
      await decide(context, unfinished, detach, question.signal);
    } catch (error) {
      // Without peerd nothing can be cancelled; what it was doing goes on when it is back.
      interrupts.abort(interrupted(`not cancelled: ${failureOf(error).message}`, failureOf(error).hint ?? undefined));
    }
    asking = undefined;
    reporter.pause(false);
  };
  const taken = interrupts.take(() => {
    if (!mayAsk || asking !== undefined) {
      question.abort();
      detach();
      return;
    }
    asking = choose();
  });
  return {
    [Symbol.asyncDispose]: async () => {
      taken[Symbol.dispose]();
      question.abort();
      await asking;
    },
  };
};

/** Resolves when the send shall be watched on. */
const decide = async (context: Context, unfinished: () => readonly TransferSummary[], detach: () => void, signal: AbortSignal): Promise<void> => {
  const answer = await ask(context, signal);
  if (answer === 'detach') detach();
  if (answer !== 'cancel') return;
  for (const { id } of unfinished()) {
    try {
      await context.client.cancel(id, context.signal);
    } catch (error) {
      // It ended in the meantime: its final event is on the way.
      if (!hasCode(error, 'wrong_state', 'not_found')) throw error;
    }
  }
};

const longQuestion = 'cancel the transfer (c), detach from it (d), or keep watching (Enter)? ';
const shortQuestion = 'cancel (c), detach (d), go on (Enter)? ';

const ask = async ({ output }: Context, signal: AbortSignal): Promise<'cancel' | 'detach' | 'go on'> => {
  // Loaded for the question only: it would make every send slower to start.
  const { createInterface } = await import('node:readline/promises');
  const reader = createInterface({ input: process.stdin, output: output.stderr });
  const stop = new AbortController();
  // In raw mode Ctrl-C is a character, not a signal.
  reader.on('SIGINT', () => stop.abort());
  reader.on('close', () => stop.abort());
  try {
    for (;;) {
      const answer = (await reader.question((output.stderr.columns || 80) > longQuestion.length ? longQuestion : shortQuestion, { signal: AbortSignal.any([signal, stop.signal]) })).trim().toLowerCase();
      if (answer === '') return 'go on';
      if ('cancel'.startsWith(answer)) return 'cancel';
      if ('detach'.startsWith(answer)) return 'detach';
    }
  } catch {
    // readline has ended the line of the question.
    return signal.aborted ? 'go on' : 'detach';
  } finally {
    reader.close();
    process.stdin.pause();
  }
};
