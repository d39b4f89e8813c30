/**
 * Makes the manifest of what a person wants to send. Metadata only: no content is read before the offer.
 *
 *  1. name the sources, refuse two of one name
 *  2. walk them in a file thread, batch by batch
 *  3. leave out links that would escape
 *  4. group entries into pages, write these with the inodes beside them
 */
import { escapeBytes, manifestMaxBytes, maxEntries, PeerdError, type ManifestEntry } from '@peerd/protocol';
import { componentViolation, EntryOrder, targetViolation } from '../path-policy.ts';
import { describeSystemError, errnoCode } from '../system-errors.ts';
import type { WalkBatch } from '../thread/calls.ts';
import { type BatchEntry, unpackEntries } from '../thread/entry-batch.ts';
import { FileThread, FileThreadError } from '../thread/file-thread.ts';
import type { ManifestSummary } from './layout.ts';
import { type BuiltPage, PageBuilder } from './page-builder.ts';
import { PageFile } from './page-file.ts';
import type { FilterPatterns } from '@peerd/protocol/path-filter';

interface SkippedPath {
  readonly path: Buffer;
  readonly code: 'special_file' | 'link_escapes' | 'source_unreadable';
  readonly message: string;
}

/** A top-level entry and the path that it is read from. */
export interface SourceRoot {
  readonly name: Buffer;
  readonly source: Buffer;
}

export interface ScanResult extends ManifestSummary {
  /** At most 100. */
  readonly skipped: readonly SkippedPath[];
  readonly skippedTotal: number;
  /** By the filter. A directory counts once, with all that is in it. */
  readonly leftOut: number;
  readonly roots: readonly SourceRoot[];
}

const listedSkips = 100;
const walkBatchEntries = 1_000;

export interface ScanOptions {
  readonly paths: readonly Buffer[];
  /** Of the top-level entry, in place of the path's own; for one path only. */
  readonly name?: Buffer | undefined;
  readonly filter?: FilterPatterns | undefined;
  readonly manifestPath: string;
  readonly chunkSize: number;
  readonly signal: AbortSignal;
}

/** @throws PeerdError `source_missing`, `source_unreadable`, `duplicate_name`, `manifest_too_large`; `special_file` or `link_escapes` when nothing is left to send */
export const scanSources = async (options: ScanOptions): Promise<ScanResult> => {
  options.signal.throwIfAborted();
  const { paths, name, filter } = options;
  if (name !== undefined) checkName(name, paths);
  const thread = new FileThread();
  try {
    const roots = await thread.call('walkOpen', { paths: [...paths], name, workingDirectory: Buffer.from(process.cwd()), filter }).then(checkedRoots, (error: unknown) => {
      throw unreadable(error, options.paths);
    });
    const file = await PageFile.create(options.manifestPath, options.chunkSize, true);
    try {
      const scan = new Scan(file, roots, options.paths);
      await scan.run(thread, options.signal);
      return { ...(await file.finish()), roots, ...scan.skips };
    } catch (error) {
      await file.discard();
      throw error;
    }
  } finally {
    await thread.close();
  }
};

class Scan {
  readonly #file: PageFile;
  readonly #roots: readonly SourceRoot[];
  readonly #paths: readonly Buffer[];
  readonly #builder = new PageBuilder();
  readonly #order = new EntryOrder();
  readonly #skipped: SkippedPath[] = [];
  #skippedTotal = 0;
  #leftOut = 0;

  constructor(file: PageFile, roots: readonly SourceRoot[], paths: readonly Buffer[]) {
    this.#file = file;
    this.#paths = paths;
    this.#roots = roots;
  }

  get skips(): Pick<ScanResult, 'skipped' | 'skippedTotal' | 'leftOut'> {
    return { skipped: this.#skipped, skippedTotal: this.#skippedTotal, leftOut: this.#leftOut };
  }

  async run(thread: FileThread, signal: AbortSignal): Promise<void> {
    // The thread walks on while a batch is written here.
    for (let next: Promise<WalkBatch> | undefined = this.#walk(thread); next !== undefined; ) {
      signal.throwIfAborted();
      const batch: WalkBatch = await next;
      next = batch.done ? undefined : this.#walk(thread);
      const listed = batch.skipped.slice(0, listedSkips - this.#skipped.length);
      this.#skipped.push(...listed.map((skip) => ({ ...skip, path: Buffer.from(skip.path) })));
      this.#skippedTotal += batch.skipped.length + batch.skippedMore;
      this.#leftOut += batch.leftOut;
      for (const entry of unpackEntries(batch.entries)) {
        const built = this.#add(entry);
        if (built !== undefined) await this.#write(built);
      }
    }
    await this.#write(this.#builder.flush());
    if (this.#file.totals.entries > 0) return;
    const first = this.#skipped[0];
    if (first === undefined && this.#leftOut > 0)
      throw new PeerdError('invalid_argument', 'nothing is left to send: the patterns leave out everything', { hint: 'Loosen --exclude and --include; `peerctl help send` says what they are compared with.' });
    throw new PeerdError(first?.code ?? 'source_missing', first === undefined ? 'nothing was named to send' : `nothing is left to send: "${escapeBytes(first.path)}": ${first.message}`);
  }

  #walk(thread: FileThread): Promise<WalkBatch> {
    const walking = thread.call('walkNext', { limit: walkBatchEntries, skips: listedSkips - this.#skipped.length }).catch((error: unknown) => {
      throw unreadable(error, this.#paths);
    });
    // It is looked at when its turn comes, if nothing has failed before.
    walking.catch(() => {});
    return walking;
  }

  /** @returns the page that was full before this entry came */
  #add({ inode, path, type, size, mode, mtime, target }: BatchEntry): BuiltPage | undefined {
    const entry: ManifestEntry = { path, type, size, mode, mtime, ...(target === undefined ? {} : { target }) };
    const escape = entry.target === undefined ? undefined : targetViolation(entry.path, entry.target);
    const violation = escape ?? this.#order.next(entry);
    if (violation === undefined) return this.#builder.add(entry, inode);
    this.#skippedTotal += 1;
    const code = escape === undefined ? 'source_unreadable' : 'link_escapes';
    if (this.#skipped.length < listedSkips) this.#skipped.push({ path: this.#sourceOf(entry), code, message: `${violation} is not sent` });
    return undefined;
  }

  async #write(built: BuiltPage | undefined): Promise<void> {
    if (built === undefined) return;
    await this.#file.append(built.page, built.entries, built.inodes);
    const { entries, manifestBytes } = this.#file.totals;
    if (entries <= maxEntries && manifestBytes <= manifestMaxBytes) return;
    throw new PeerdError('manifest_too_large', `more than ${maxEntries} entries or ${manifestMaxBytes} bytes of names and metadata can't be sent at once`, {
      hint: 'Send it in several parts, or pack it into an archive first.',
    });
  }

  #sourceOf(entry: ManifestEntry): Buffer {
    const root = this.#roots.find(({ name }) => name.equals(entry.path[0] ?? empty));
    return Buffer.concat([root?.source ?? empty, ...entry.path.slice(1).flatMap((component) => [slash, component])]);
  }
}

const empty = Buffer.alloc(0);
const slash = Buffer.from('/');

const checkName = (name: Buffer, paths: readonly Buffer[]): void => {
  const violation = paths.length > 1 ? `one name for ${paths.length} paths` : componentViolation(name);
  if (violation === undefined) return;
  throw new PeerdError('invalid_argument', `"${escapeBytes(name)}" can't be the name: ${violation}`, { hint: 'A name is given to a single path; it is 1 to 255 bytes long, without `/`, and not `.` or `..`.' });
};

const checkedRoots = (opened: readonly { name: Uint8Array; source: Uint8Array }[]): SourceRoot[] => {
  const roots = opened.map((root) => ({ name: Buffer.from(root.name), source: Buffer.from(root.source) }));
  const seen = new Set<string>();
  for (const { name } of roots) {
    const key = name.toString('latin1');
    if (key === '') throw new PeerdError('invalid_argument', 'the root directory has no name to send it under', { hint: 'Name the directories in it.' });
    if (seen.has(key)) throw new PeerdError('duplicate_name', `two of the paths are named "${escapeBytes(name)}"`, { hint: 'Send them one after the other, or send a directory that holds both.' });
    seen.add(key);
  }
  return roots;
};

const missingCodes = new Set(['ENOENT', 'ENOTDIR']);

const unreadable = (error: unknown, paths: readonly Buffer[]): PeerdError => {
  const position = error instanceof FileThreadError ? error.position : undefined;
  const what = position === undefined ? 'a source' : `"${escapeBytes(paths[position] ?? empty)}"`;
  const details = position === undefined ? {} : { details: { paths: [(paths[position] ?? empty).toString()] } };
  return missingCodes.has(errnoCode(error) ?? '')
    ? new PeerdError('source_missing', `${what} does not exist`, { cause: error, hint: 'Look at the spelling; relative paths are taken from where the command runs.', ...details })
    : new PeerdError('source_unreadable', `${what} can't be read: ${describeSystemError(error)}`, { cause: error, hint: 'Give the user that runs peerd the right to read it.', ...details });
};
