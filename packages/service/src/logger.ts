/** Structured logs: one JSON line each, with ids and never with secrets; readable lines where a person looks on. */
import { createRequire } from 'node:module';
import { isatty } from 'node:tty';
import { type DestinationStream, pino, type Logger } from 'pino';
import type pinoPretty from 'pino-pretty';
import { createLogLimit } from './log-limit.ts';
import { loggedError } from './logged-error.ts';
import { isJournal, withPriority } from './systemd/journal.ts';

export type { Logger } from 'pino';

/** Keys that may hold secrets, wherever they stand in a log line. */
const secrets = ['key', 'secret', 'token', 'roomSecret', 'roomProof', 'authorization', '*.key', '*.secret', '*.token', '*.roomSecret', '*.roomProof', '*.authorization'];

/** Logs to standard error, so that standard output stays free for what was asked for. */
export const createLogger = (program: string, level: string): Logger => {
  const stream = isatty(2) ? readable() : lines();
  const limit = createLogLimit(() => performance.now());
  return pino({
    level, redact: { paths: secrets, censor: '[secret]' }, base: { program, pid: process.pid }, serializers: { err: loggedError },
    hooks: {
      logMethod(args, method, lineLevel) {
        // Who asks for details wants all of them.
        if (lineLevel < pino.levels.values['info']!) return method.apply(this, args);
        const { isWritten, leftOut } = limit.line(args.find((arg: unknown) => typeof arg === 'string') ?? '');
        if (leftOut > 0) method.apply(this, [{ leftOut }, 'log lines were left out, since too many said the same']);
        if (isWritten) method.apply(this, args);
      },
    },
  }, stream);
};

/** Bytes that wait while standard error takes nothing, as a file on a full disk. What comes then is lost. */
const maxWaiting = 256 * 1_024;

const lines = (): DestinationStream => {
  const stderr = pino.destination({ fd: 2, sync: true, maxLength: maxWaiting });
  // A log that cannot be written ends nothing. It is tried again with the next line.
  stderr.on('error', () => {});
  // Not the stream itself: at `fatal` pino would flush it, for as long as it fails.
  const out = { write: (line: string): void => void stderr.write(line) };
  return isJournal(2, process.env) ? withPriority(out) : out;
};

/** https://no-color.org */
const readable = (): DestinationStream => {
  // Not at the top: a daemon without a person before it need not load this.
  const pretty = createRequire(import.meta.url)('pino-pretty') as typeof pinoPretty;
  return pretty({ destination: 2, sync: true, colorize: !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb', translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,program,hostname', singleLine: true });
};
