/** Log lines for the journal of systemd, with the priority of each in front (sd-daemon(3)), so that `journalctl -p warning` works. */
import { fstatSync } from 'node:fs';
import type { DestinationStream } from 'pino';
import type { Environment } from './notify.ts';

/** Whether the descriptor is the connection to the journal that systemd.exec(5) names in JOURNAL_STREAM: `DEVICE:INODE`. */
export const isJournal = (descriptor: number, env: Environment): boolean => {
  const stream = env['JOURNAL_STREAM'];
  if (!stream) return false;
  const { dev, ino } = fstatSync(descriptor);
  return stream === `${dev}:${ino}`;
};

export const withPriority = (out: { write(line: string): unknown }): DestinationStream => {
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
