/**
 * A tree that comes as a tar archive, into a directory of its own.
 *
 * Names are bytes, and tar libraries know text only: each byte of a name is one character U+0000 to U+00FF in the archive's
 * PAX records. Entries come depth first, a directory before what is in it, so that an entry's directory is always one that
 * this upload has made and never what a link leads to.
 */
import { constants } from 'node:fs';
import { type FileHandle, lutimes, mkdir, open, symlink, utimes, chmod } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { PeerdError } from '@peerd/protocol';
import { componentViolation, utimesArgument } from '@peerd/transfer';
import { type Extract, extract, type Header } from 'tar-stream';
import { bodyOf, type Upload } from './upload.ts';

interface OpenDirectory {
  /** As in the archive. */
  readonly name: string;
  readonly path: Buffer;
  readonly header: Header;
}

const slash = Buffer.from('/');

/** @returns the path of the top-level entry @throws PeerdError `invalid_argument`, `spool_full`, `manifest_too_large`, errno errors, the reason of the signal */
export const receiveTree = async (archive: Readable, upload: Upload): Promise<Buffer> => {
  const entries = extract();
  const stop = (): void => entries.destroy(upload.signal.reason as Error);
  upload.signal.addEventListener('abort', stop, { once: true });
  const feeding = feed(archive, entries);
  // Its failure is the one of the entries too.
  feeding.catch(() => {});
  const stack: OpenDirectory[] = [];
  let top: Buffer | undefined;
  try {
    for await (const entry of entries) {
      upload.signal.throwIfAborted();
      upload.entry();
      const { header } = entry;
      // The reader of archives takes a number that it can't read for none, and waits for that content for ever.
      if (!Number.isSafeInteger(header.size) || (header.size ?? 0) < 0) throw malformed('it has an entry of an impossible size');
      const name = header.name.replace(/\/$/, '');
      while (stack.length > 0 && !name.startsWith(`${stack.at(-1)?.name ?? ''}/`)) await finishDirectory(stack.pop());
      const directory = stack.at(-1);
      const component = name.slice(directory ? directory.name.length + 1 : 0);
      const bytes = checkedComponent(component);
      if (!directory && top) throw malformed('it has more than one top-level entry');
      const path = Buffer.concat([directory?.path ?? upload.directory, slash, bytes]);
      top ??= path;
      if (header.type === 'directory') {
        await mkdir(path, { mode: 0o700 });
        stack.push({ name, path, header });
      } else if (header.type === 'symlink') {
        await symlink(Buffer.from(header.linkname, 'latin1'), path);
        await lutimes(path, ...times(header));
      } else if (header.type === 'file') {
        await receiveFile(path, header, entry as unknown as AsyncIterable<Uint8Array>, upload);
        continue;
      } else throw malformed(`it has an entry of the type ${header.type}`);
      entry.resume();
    }
    await feeding;
    while (stack.length > 0) await finishDirectory(stack.pop());
  } catch (error) {
    throw upload.signal.aborted ? upload.signal.reason : asMalformed(error);
  } finally {
    upload.signal.removeEventListener('abort', stop);
    entries.destroy(null);
  }
  if (!top) throw malformed('it is empty');
  return top;
};

const feed = async (archive: Readable, entries: Extract): Promise<void> => {
  try {
    for await (const part of bodyOf(archive)) if (!entries.write(part)) await drained(entries);
    entries.end(null);
  } catch (error) {
    entries.destroy(error as Error);
    throw error;
  }
};

/** Resolves when more may be written, or when nothing is read any more. */
const drained = (entries: Extract): Promise<void> =>
  new Promise((resolve, reject) => {
    const done = (): void => {
      entries.off('drain', done);
      entries.off('close', closed);
      resolve();
    };
    const closed = (): void => {
      entries.off('drain', done);
      reject(new Error('the archive is not read any more'));
    };
    entries.once('drain', done);
    entries.once('close', closed);
  });

/** The daemon must be able to read what it sends, whatever the mode says of its owner. */
const receiveFile = async (path: Buffer, header: Header, content: AsyncIterable<Uint8Array>, upload: Upload): Promise<void> => {
  const file: FileHandle = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    await upload.write(content, file);
    await file.chmod((header.mode & 0o777) | 0o400);
    await file.utimes(...times(header));
  } finally {
    await file.close();
  }
};

const finishDirectory = async (directory: OpenDirectory | undefined): Promise<void> => {
  if (!directory) return;
  await chmod(directory.path, (directory.header.mode & 0o777) | 0o500);
  await utimes(directory.path, ...times(directory.header));
};

/** From the PAX record where there is one: the header itself has whole seconds. */
const times = ({ mtime, pax }: Header): [atime: number | string, mtime: number | string] => {
  const exact = /^(-?\d{1,12})\.(\d{9})$/.exec((pax as Record<string, string> | null | undefined)?.['mtime'] ?? '');
  const time = exact ? utimesArgument(Number(exact[1]), Number(exact[2])) : mtime.getTime() / 1_000;
  return [time, time];
};

const checkedComponent = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'latin1');
  const isBytes = !/[^\0-\u{ff}]/u.test(text);
  const violation = isBytes ? componentViolation(bytes) : 'a name that is not written as bytes';
  if (violation !== undefined) throw malformed(`it has ${violation}`);
  return bytes;
};

/** What the archive asks for and no file system or Node gives: a name twice, times and link targets that can't be, content that is cut off. */
const impossible: ReadonlySet<string> = new Set(['EEXIST', 'EINVAL', 'ENAMETOOLONG', 'ENOENT', 'ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE', 'ERR_OUT_OF_RANGE', 'STREAM_DESTROYED']);

/** The reader of archives throws errors without a code; those of the disk and of the connection stay what they are. */
const asMalformed = (error: unknown): unknown => {
  if (error instanceof PeerdError || !(error instanceof Error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined || impossible.has(code) ? malformed(`it cannot be read: ${error.message}`, error) : error;
};

const malformed = (what: string, cause?: Error): PeerdError => new PeerdError('invalid_argument', `the archive cannot be taken: ${what}`, { cause, hint: 'peerctl and peerd may be of different versions.' });

