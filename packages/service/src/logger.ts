/** Structured logs: one JSON line each, with ids and never with secrets. */
import { pino, type Logger } from 'pino';
import { isJournal, withPriority } from './systemd/journal.ts';

export type { Logger } from 'pino';

/** Keys that may hold secrets, wherever they stand in a log line. */
const secrets = ['key', 'secret', 'token', 'roomSecret', 'roomProof', 'authorization', '*.key', '*.secret', '*.token', '*.roomSecret', '*.roomProof', '*.authorization'];

/** Logs to standard error, so that standard output stays free for what was asked for. */
export const createLogger = (program: string, level: string): Logger => {
  const stderr = pino.destination({ fd: 2, sync: true });
  return pino({ level, redact: { paths: secrets, censor: '[secret]' }, base: { program, pid: process.pid } }, isJournal(2, process.env) ? withPriority(stderr) : stderr);
};
