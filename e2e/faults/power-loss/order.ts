/**
 * What must be on stable storage before what, by the system calls of a reception. A power failure between two calls may
 * lose everything that was not flushed; so each promise is made only after what it promises was.
 *
 * 1. content is flushed in staging, and the journal with the seal
 * 2. where it goes was committed to the database
 * 3. it moves to its final name, and the directory is flushed
 * 4. the receipt is appended to the log, and the log is flushed; only then the sender may have it
 * 5. the sender appends it to its own log and flushes that; only then a person hears of it, or the receiver that it is known
 */
import { dirname } from 'node:path';
import type { Call } from './strace-log.ts';

export interface Reception {
  readonly receiver: readonly Call[];
  readonly sender: readonly Call[];
  /** Directory where names appear. */
  readonly destination: string;
  /** State directories. */
  readonly receiverState: string;
  readonly senderState: string;
  /** Final names at the top level. */
  readonly names: readonly string[];
  /** When `peerctl send` ended: seconds since 1970. */
  readonly toldAt: number;
}

const writing = ['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2', 'ftruncate', 'copy_file_range'];
const flushing = ['fsync', 'fdatasync'];
const moving = ['link', 'linkat', 'rename', 'renameat', 'renameat2'];

const is = (names: readonly string[], fits: (path: string) => boolean) => (call: Call): boolean => names.includes(call.name) && call.ok === true && fits(call.paths[0] ?? '');

/** Sentences about what came in the wrong order, or did not come; empty when all is well. */
export const orderProblems = ({ receiver, sender, destination, receiverState, senderState, names, toldAt }: Reception): string[] => {
  const problems: string[] = [];
  const must = (holds: boolean, what: string): void => {
    if (!holds) problems.push(what);
  };
  const log = (state: string) => (path: string): boolean => path === `${state}/receipts.log`;
  const appended = receiver.filter(is(writing, log(receiverState)));
  const firstReceipt = Math.min(...appended.map(({ begin }) => begin));
  must(appended.length > 0, 'the receiver has written no receipt');
  for (const name of names) {
    const move = receiver.find((call) => moving.includes(call.name) && call.ok === true && call.paths.at(-1) === `${destination}/${name}`);
    if (!move) {
      problems.push(`${name} was not moved to its final name`);
      continue;
    }
    const [staged = ''] = move.paths;
    const files = new Set(receiver.filter(is(writing, (path) => path === staged || path.startsWith(`${staged}/`))).map(({ paths }) => paths[0] ?? ''));
    must(files.size > 0, `nothing was written to the staging of ${name}`);
    for (const file of files) must(isFlushed(receiver, (path) => path === file, move.begin), `${file} was moved before its content was flushed`);
    must(isFlushed(receiver, (path) => path.startsWith(`${receiverState}/transfers/in/`) && path.endsWith('/journal'), move.begin), `${name} was moved before the journal was flushed`);
    must(isFlushed(receiver, (path) => path === `${receiverState}/peerd.db-wal`, move.begin), `${name} was moved before the database knew where to`);
    const directoryFlushed = receiver.some((call) => flushing.includes(call.name) && call.ok === true && call.paths[0] === destination && call.begin >= move.end && call.end <= firstReceipt);
    must(directoryFlushed, `the receipt was written before the directory with ${name} was flushed`);
  }
  const received = sender.filter(is(writing, log(senderState)));
  const sentAt = Math.min(...received.map(({ begin }) => begin));
  must(received.length > 0, 'the sender has kept no receipt');
  must(isFlushed(receiver, log(receiverState), sentAt), 'the sender had the receipt before the log of the receiver was flushed');
  must(isFlushed(sender, log(senderState), toldAt), 'a person heard of the end before the log of the sender was flushed');
  // The receiver's last commit is that its receipt has come to the sender.
  const commits = receiver.filter(is(writing, (path) => path === `${receiverState}/peerd.db-wal`));
  must(isFlushed(sender, log(senderState), Math.max(...commits.map(({ begin }) => begin))), 'the receiver knew that its receipt was kept before the log of the sender was flushed');
  return problems;
};

/** Of what was uploaded to be sent: nobody can give it once more, so it is on stable storage before the transfer is stored. */
export const spoolProblems = ({ sender, senderState }: Pick<Reception, 'sender' | 'senderState'>): string[] => {
  const spool = `${senderState}/spool`;
  const move = sender.find((call) => moving.includes(call.name) && call.ok === true && call.paths.at(-1)?.startsWith(`${spool}/`) === true);
  const [part = ''] = move?.paths ?? [];
  const flushed = (path: string, from: number, by: number): boolean => sender.some((call) => is(flushing, (flushedPath) => flushedPath === path)(call) && call.begin >= from && call.end <= by);
  if (!move) return ['nothing was put into the spool'];
  const stored = sender.find((call) => call.begin >= move.end && is(writing, (path) => path === `${senderState}/peerd.db-wal`)(call));
  const files = new Set(sender.filter(is(writing, (path) => path.startsWith(`${part}/`))).map(({ paths }) => paths[0] ?? ''));
  const directories = new Set([...files].flatMap((file) => directoriesOf(file, part)));
  return [
    ...(files.size > 0 ? [] : ['nothing was written into the spool']),
    ...[...files].filter((file) => !isFlushed(sender, (path) => path === file, move.begin)).map((file) => `${file} was taken into the spool before it was flushed`),
    ...[...directories].filter((directory) => !flushed(directory, 0, move.begin)).map((directory) => `${directory} was not flushed`),
    ...(flushed(spool, move.end, stored?.begin ?? 0) ? [] : ['the transfer was stored before the spool was flushed']),
  ];
};

/** Those that lead to a file, up to the one that is `top`. */
const directoriesOf = (file: string, top: string): string[] => {
  const directory = dirname(file);
  return directory === top ? [top] : [directory, ...directoriesOf(directory, top)];
};

/** Everything that was written there before `by` had been flushed by then; and something was. */
const isFlushed = (calls: readonly Call[], fits: (path: string) => boolean, by: number): boolean => {
  const writes = calls.filter((call) => is(writing, fits)(call) && call.begin < by);
  const lastWrite = Math.max(...writes.map(({ end }) => end));
  return writes.length > 0 && calls.some((call) => is(flushing, fits)(call) && call.begin >= lastWrite && call.end <= by);
};
