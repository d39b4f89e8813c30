/** Structured logs: one JSON line each, with ids and never with secrets. */
import { fstatSync } from 'node:fs';
import { type DestinationStream, pino, type Logger } from 'pino';

export type { Logger } from 'pino';

/** Keys that may hold secrets, wherever they stand in a log line. */
const secrets = ['key', 'secret', 'token', 'roomSecret', 'roomProof', 'authorization', '*.key', '*.secret', '*.token', '*.roomSecret', '*.roomProof', '*.authorization'];

/** Logs to standard error, so that standard output stays free for what was asked for. */
export const createLogger = (name: string, level: string): Logger => {
  const stderr = pino.destination({ fd: 2, sync: true });
  const options = { name, level, redact: { paths: secrets, censor: '[secret]' }, base: { name, pid: process.pid } };
  return pino(options, isJournal(2, process.env['JOURNAL_STREAM']) ? withPriority(stderr) : stderr);
};

/** Whether the descriptor is the connection to the journal that systemd.exec(5) names in JOURNAL_STREAM: `DEVICE:INODE`. */
const isJournal = (descriptor: number, stream: string | undefined): boolean => {
  if (!stream) return false;
  const { dev, ino } = fstatSync(descriptor);
  return stream === `${dev}:${ino}`;
};

/** `<3>` in front of a line gives it that priority in the journal (sd-daemon(3)), so `journalctl -p warning` works. */
const withPriority = (out: { write(line: string): unknown }): DestinationStream => {
  const stream = {
    // pino tells the level of each line to a stream that has this symbol.
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 30,
    write(line: string): void {
      out.write(`<${priority(stream.lastLevel)}>${line}`);
    },
  };
  return stream;
};

/** From the levels of pino to those of syslog(3). */
const priority = (level: number): number => {
  if (level >= 60) return 2;
  if (level >= 50) return 3;
  if (level >= 40) return 4;
  return level >= 30 ? 6 : 7;
};
