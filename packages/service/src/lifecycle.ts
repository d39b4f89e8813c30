/** From the first line to the exit code of a daemon process. */
import { PeerdError } from '@peerd/protocol';
import { supervise, type Supervised } from './systemd/supervision.ts';

/** A running daemon. `stop` ends it in order; it is called once. */
export interface Daemon extends Supervised {
  stop(): Promise<void>;
}

/** A signal to a process group often comes twice, from the terminal and from a parent that passes it on (`timeout`, pnpm). */
const sameSignalMs = 500;
/** Time for an orderly stop before the process exits anyway. */
const stopTimeoutMs = 15_000;

/**
 * Runs a daemon until SIGTERM or SIGINT, then stops it, and keeps systemd informed if that started it. A second signal exits at once. A failure to start is printed as
 * `error:` and `hint:` lines with the exit code of its error.
 */
export const runDaemon = async (start: () => Promise<Daemon | undefined>): Promise<void> => {
  let daemon: Daemon | undefined;
  try {
    daemon = await start();
  } catch (error) {
    printError(error);
    process.exit(error instanceof PeerdError ? error.exitCode : 1);
  }
  if (!daemon) return;
  const running = daemon;
  const supervision = supervise(running, process.env, process.pid);
  let stoppingSince: number | undefined;
  const onSignal = (): void => {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince > sameSignalMs) process.exit(130);
      return;
    }
    stoppingSince = performance.now();
    setTimeout(() => process.exit(1), stopTimeoutMs).unref();
    Promise.all([running.stop(), supervision?.stopping()]).then(
      () => process.exit(0),
      (error: unknown) => {
        printError(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
};

const printError = (error: unknown): void => {
  const [text, hint] = error instanceof PeerdError ? [error.message, error.hint] : wordsOf(error);
  process.stderr.write(`error: ${text}\n${hint === undefined ? '' : `hint: ${hint}\n`}`);
};

/** An error of the system is no defect: it names the call and the path, and where in our code it came up helps nobody. */
const wordsOf = (error: unknown): [text: string, hint?: string] => {
  if (!(error instanceof Error)) return [String(error)];
  if ('syscall' in error && 'path' in error) return [error.message, 'Look at this path: whether it exists, who owns it, and whether its file system is full or read-only.'];
  return [error.stack ?? error.message];
};
