/**
 * The private directory on the destination's own file system, `.peerd-<name>`, in which entries grow until they are
 * complete. They stand in its directory `t` as they will stand in the destination.
 *
 * Both directories are held open and reached through their descriptors: nothing goes astray when somebody moves or
 * replaces a directory on the way there.
 */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readlink } from 'node:fs/promises';
import { escapeBytes, PeerdError } from '@peerd/protocol';
import { errnoCode, ioError } from '../system-errors.ts';
import { inDirectory } from '../thread/directory-cursor.ts';
import { isUnsupported } from '../thread/file-times.ts';

const directoryFlags = constants.O_RDONLY | constants.O_DIRECTORY;
/** Below the staging directory, and nothing else is. */
export const treeName: Buffer = Buffer.from('t');

const prefix = Buffer.from('.peerd-');

/** Whether a staging directory, ours or that of another transfer, may have this name. */
export const isStagingName = (name: Uint8Array): boolean => prefix.compare(name, 0, Math.min(name.length, prefix.length)) === 0;

const stagingDirectory = (stagingName: string): Buffer => {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(stagingName)) throw new PeerdError('invalid_argument', 'the name of a staging directory may have letters, digits, `.`, `_` and `-`');
  return Buffer.concat([prefix, Buffer.from(stagingName)]);
};

/** @throws PeerdError `io_error` */
export const openDestination = async (destination: Buffer | string): Promise<FileHandle> =>
  open(destination, directoryFlags).catch((cause: unknown) => {
    throw ioError(cause, 'opening the destination directory');
  });

/**
 * The directory that was chosen stands where it stood: nobody has put a link on the way to it since. Its path was free of links
 * when it was accepted into.
 *
 * @throws PeerdError `io_error`
 */
const assertNoDetour = async (directory: FileHandle, path: Buffer): Promise<void> => {
  const real = await readlink(`/proc/self/fd/${directory.fd}`, 'buffer');
  if (real.equals(path)) return;
  throw new PeerdError('io_error', `the destination ${escapeBytes(path)} leads to ${escapeBytes(real)} now`, { hint: 'Somebody has moved it, or put a link on the way to it. Have it sent again.' });
};

/** Where the staging directory is found, whether it exists or not. */
export const stagingPathIn = (destination: FileHandle, stagingName: string): Buffer => inDirectory(destination.fd, stagingDirectory(stagingName));

export class Staging {
  readonly #destination: FileHandle;
  readonly #tree: FileHandle;
  /** The staging directory itself. */
  readonly path: Buffer;

  private constructor(destination: FileHandle, tree: FileHandle, path: Buffer) {
    this.#destination = destination;
    this.#tree = tree;
    this.path = path;
  }

  /** Makes the directory, or takes up the one of an earlier run. @throws PeerdError `io_error`, `no_space` */
  static async open(destination: Buffer | string, stagingName: string): Promise<Staging> {
    const handle = await openDestination(destination);
    let own: FileHandle | undefined;
    try {
      await assertNoDetour(handle, Buffer.from(destination));
      const path = stagingPathIn(handle, stagingName);
      own = await makeOwnDirectory(path, isStaging);
      return new Staging(handle, await makeOwnDirectory(inDirectory(own.fd, treeName), isOurs), path);
    } catch (cause) {
      await handle.close();
      throw ioError(cause, 'making the staging directory in the destination');
    } finally {
      await own?.close();
    }
  }

  get treeFd(): number {
    return this.#tree.fd;
  }

  get destinationFd(): number {
    return this.#destination.fd;
  }

  /** For `statfs`. */
  get destinationPath(): string {
    return `/proc/self/fd/${this.#destination.fd}`;
  }

  /** A top-level entry that is not placed yet. */
  staged(name: Uint8Array): Buffer {
    return inDirectory(this.#tree.fd, name);
  }

  /** A name in the destination. */
  placed(name: Uint8Array): Buffer {
    return inDirectory(this.#destination.fd, name);
  }

  async flushDestination(): Promise<void> {
    await this.#destination.sync();
  }

  async flushTree(): Promise<void> {
    await this.#tree.sync();
  }

  async close(): Promise<void> {
    await this.#tree.close();
    await this.#destination.close();
  }
}

const isOurs = async (directory: FileHandle): Promise<boolean> => (await directory.stat()).uid === process.geteuid?.();

/** In a directory that others may write to, they may give the name to any other directory, even to one of ours. */
const isStaging = async (directory: FileHandle): Promise<boolean> =>
  (await isOurs(directory)) && (await readdir(`/proc/self/fd/${directory.fd}`, { encoding: 'buffer' })).every((name) => treeName.equals(name));

/** The staging directory itself; `undefined` where nothing is, or something that is no such directory. */
export const openStagingDirectory = async (path: Buffer): Promise<FileHandle | undefined> => {
  const directory = await openItself(path);
  let isRight = false;
  try {
    isRight = directory !== undefined && (await isStaging(directory));
    return isRight ? directory : undefined;
  } finally {
    if (!isRight) await directory?.close();
  }
};

const openItself = (path: Buffer): Promise<FileHandle | undefined> =>
  open(path, directoryFlags | constants.O_NOFOLLOW).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoCode(error) ?? '')) return undefined;
    throw error;
  });

/** What was made and what is open may be two: others may move it away at any moment. So what is open is looked at. */
const makeOwnDirectory = async (path: Buffer, isRight: (directory: FileHandle) => Promise<boolean>): Promise<FileHandle> => {
  await mkdir(path, 0o700).catch((error: unknown) => {
    if (errnoCode(error) !== 'EEXIST') throw error;
  });
  const directory = await openItself(path);
  try {
    if (directory === undefined || !(await isRight(directory))) throw notOurs();
    await directory.chmod(0o700).catch((error: unknown) => {
      // FAT has no modes.
      if (!isUnsupported(error)) throw error;
    });
    return directory;
  } catch (error) {
    await directory?.close();
    throw error;
  }
};

const notOurs = (): PeerdError =>
  new PeerdError('io_error', 'the name of the staging directory is taken by something that is not ours', { hint: 'Remove it, or accept into another directory with --to.' });
