/**
 * The private directory on the destination's own file system, `.peerd-<name>`, in which entries grow until they are
 * complete. They stand in its directory `t` as they will stand in the destination.
 *
 * Both directories are held open and reached through their descriptors: nothing goes astray when somebody moves or
 * replaces a directory on the way there.
 */
import { constants } from 'node:fs';
import { chmod, type FileHandle, lstat, mkdir, open } from 'node:fs/promises';
import { PeerdError } from '@peerd/protocol';
import { errnoCode, ioError } from '../system-errors.ts';
import { inDirectory } from '../thread/directory-cursor.ts';

const directoryFlags = constants.O_RDONLY | constants.O_DIRECTORY;
const treeName = Buffer.from('t');

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
    try {
      const path = stagingPathIn(handle, stagingName);
      await makeOwnDirectory(path);
      const treePath = Buffer.concat([path, Buffer.from('/'), treeName]);
      await makeOwnDirectory(treePath);
      return new Staging(handle, await open(treePath, directoryFlags | constants.O_NOFOLLOW), path);
    } catch (cause) {
      await handle.close();
      throw ioError(cause, 'making the staging directory in the destination');
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

/** In a directory that others may write to, somebody else may have made it to watch or to change what we receive. */
const makeOwnDirectory = async (path: Buffer): Promise<void> => {
  try {
    await mkdir(path, 0o700);
  } catch (error) {
    if (errnoCode(error) !== 'EEXIST') throw error;
    const stat = await lstat(path);
    if (!stat.isDirectory() || stat.uid !== process.geteuid?.())
      throw new PeerdError('io_error', 'the name of the staging directory is taken by something that is not ours', { hint: 'Remove it, or accept into another directory with --to.' });
    await chmod(path, 0o700);
  }
};
