/** Ctrl-C and its kin, for programs that start others: they end once everything that they made is gone. */

/**
 * Aborts with the first signal. Later ones change nothing: a signal often comes twice, from the terminal and from pnpm, and the
 * second must not end the program while it cleans up.
 */
export const interruption = (): AbortSignal => {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) return;
    console.error('\nstopping, and cleaning up');
    controller.abort(new Error(`interrupted by ${signal}`));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  return controller.signal;
};
