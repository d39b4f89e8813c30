/**
 * STATE/spool: content that somebody has uploaded so that it can be sent.
 *
 *  1. an upload is written to ID.part, under a quota, and is ID when it is complete
 *  2. a send names it; the transfers that read it hold it
 *  3. it is removed when the last of them is over, or after a while if no send has come for it
 *
 * What an earlier run of the daemon has left is removed at the start unless a transfer needs it.
 */
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { PeerdError, transferIdSchema } from '@peerd/protocol';
import { type Logger, newUlid } from '@peerd/service';
import { componentViolation, flushTree, removeOwnTree } from '@peerd/transfer';
import { insist } from '../net/insist.ts';
import type { TransferRecord } from '../transfer/record.ts';
import type { Spooled, SpooledSources, SpoolIntake } from './ports.ts';
import { asSpoolFull, Quota } from './quota.ts';
import { receiveTree } from './receive-tree.ts';
import { sizeOfTree } from './size-of-tree.ts';
import { bodyOf, Upload } from './upload.ts';

/** For which no send has come. */
const unclaimedMs = 3_600_000;
const upkeepMs = 600_000;
const maxUploads = 16;

interface Kept {
  readonly bytes: number;
  /** Milliseconds that never go back: a clock that is set must not take an upload from the send that is about to name it. */
  readonly since: number;
  readonly holders: Set<string>;
}

export interface SpoolOptions {
  readonly stateDir: string;
  /** Bytes. */
  readonly limit: number;
  /** Bytes that are left free; default 256 MiB. */
  readonly reserve?: number;
  readonly logger: Logger;
  readonly now: () => number;
}

export class Spool implements SpooledSources, SpoolIntake {
  readonly #options: SpoolOptions;
  readonly #directory: string;
  readonly #quota: Quota;
  readonly #kept = new Map<string, Kept>();
  readonly #removing = new Set<Promise<void>>();
  readonly #upkeep: NodeJS.Timeout;
  readonly #closing = new AbortController();
  #uploads = 0;

  private constructor(options: SpoolOptions) {
    this.#options = options;
    this.#directory = join(options.stateDir, 'spool');
    this.#quota = new Quota(this.#directory, options.limit, options.reserve);
    this.#upkeep = setInterval(() => this.#forgetUnclaimed(), upkeepMs).unref();
  }

  static async open(options: SpoolOptions): Promise<Spool> {
    const spool = new Spool(options);
    await mkdir(spool.#directory, { recursive: true, mode: 0o700 });
    for (const name of await readdir(spool.#directory)) {
      if (!transferIdSchema.safeParse(name).success) await removeOwnTree(Buffer.from(join(spool.#directory, name)));
      else {
        const bytes = await sizeOfTree(spool.#pathOf(name));
        spool.#quota.found(bytes);
        spool.#kept.set(name, { bytes, since: performance.now(), holders: new Set() });
      }
    }
    return spool;
  }

  get used(): number {
    return this.#quota.used;
  }

  file(content: Readable, { name, mode, signal }: { name: Buffer; mode: number; signal: AbortSignal }): Promise<Spooled> {
    const violation = componentViolation(name);
    if (violation !== undefined) throw new PeerdError('invalid_argument', `it can't be sent under ${violation}`, { hint: 'A name is 1 to 255 bytes long, without `/`, and not `.` or `..`.' });
    return this.#upload(signal, async (upload) => {
      upload.entry();
      const file = await open(Buffer.concat([upload.directory, Buffer.from('/'), name]), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
      try {
        await upload.write(bodyOf(content), file);
        await file.chmod((mode & 0o777) | 0o400);
      } finally {
        await file.close();
      }
    });
  }

  tree(archive: Readable, { signal }: { signal: AbortSignal }): Promise<Spooled> {
    return this.#upload(signal, async (upload) => void (await receiveTree(archive, upload)));
  }

  async discard(id: string): Promise<boolean> {
    const kept = this.#kept.get(id);
    if (!kept || kept.holders.size > 0) return false;
    await this.#remove(id, kept).catch(() => this.#removeLater(id, kept));
    return true;
  }

  async sources(ids: readonly string[]): Promise<Buffer[]> {
    return Promise.all(
      ids.map(async (id) => {
        const [name] = this.#kept.has(id) ? await readdir(Buffer.from(this.#pathOf(id)), { encoding: 'buffer' }) : [];
        if (!name) throw new PeerdError('not_found', `nothing was uploaded as ${id}`, { hint: 'Upload it again: what no send has asked for is removed after an hour.' });
        return Buffer.concat([Buffer.from(`${this.#pathOf(id)}/`), name]);
      }),
    );
  }

  hold({ id, roots }: Pick<TransferRecord, 'id' | 'roots'>): void {
    const prefix = Buffer.from(`${this.#directory}/`);
    for (const { source } of roots) if (source.subarray(0, prefix.length).equals(prefix)) this.#kept.get(source.subarray(prefix.length, prefix.length + 26).toString())?.holders.add(id);
  }

  release({ id }: Pick<TransferRecord, 'id'>): void {
    for (const [spooled, kept] of this.#kept) if (kept.holders.delete(id) && kept.holders.size === 0) this.#removeLater(spooled, kept);
  }

  async sweep(): Promise<void> {
    for (const [id, kept] of this.#kept) if (kept.holders.size === 0) await this.#remove(id, kept);
  }

  async close(): Promise<void> {
    clearInterval(this.#upkeep);
    this.#closing.abort();
    await Promise.all(this.#removing);
  }

  async #upload(signal: AbortSignal, receive: (upload: Upload) => Promise<void>): Promise<Spooled> {
    if (this.#uploads >= maxUploads) throw new PeerdError('rate_limited', `${maxUploads} uploads are under way already`, { hint: 'Wait for one of them.' });
    this.#uploads += 1;
    const id = newUlid(this.#options.now());
    const part = Buffer.from(`${this.#pathOf(id)}.part`);
    const upload = new Upload(part, this.#quota, signal);
    try {
      await mkdir(part, { mode: 0o700 });
      await receive(upload);
      // Nobody can give it once more.
      await flushTree(part, upload.entries, signal);
      signal.throwIfAborted();
      await rename(part, this.#pathOf(id));
      await syncDirectory(this.#directory);
    } catch (error) {
      const undo = async (): Promise<void> => {
        for (const path of [part, Buffer.from(this.#pathOf(id))]) await removeOwnTree(path);
        upload.undo();
      };
      await undo().catch(() => this.#attemptLater(id, undo));
      throw signal.aborted ? signal.reason : asSpoolFull(error);
    } finally {
      this.#uploads -= 1;
    }
    this.#kept.set(id, { bytes: upload.bytes, since: performance.now(), holders: new Set() });
    return { id, entries: upload.entries, bytes: upload.bytes };
  }

  #forgetUnclaimed(): void {
    const before = performance.now() - unclaimedMs;
    for (const [id, kept] of this.#kept) if (kept.holders.size === 0 && kept.since < before) this.#removeLater(id, kept);
  }

  #removeLater(id: string, kept: Kept): void {
    this.#kept.delete(id);
    this.#attemptLater(id, () => this.#remove(id, kept));
  }

  /** Until it succeeds: a disk that is full or read-only now may be well later. */
  #attemptLater(id: string, remove: () => Promise<void>): void {
    const onFailure = (error: unknown): void => this.#options.logger.error({ err: error, spool: id }, 'spool: content that nobody needs cannot be removed now');
    const removing = insist(remove, { signal: this.#closing.signal, onFailure })
      .catch(() => {})
      .finally(() => this.#removing.delete(removing));
    this.#removing.add(removing);
  }

  async #remove(id: string, kept: Kept): Promise<void> {
    this.#kept.delete(id);
    await removeOwnTree(Buffer.from(this.#pathOf(id)));
    this.#quota.give(kept.bytes);
  }

  #pathOf(id: string): string {
    return join(this.#directory, id);
  }
}

const syncDirectory = async (path: string | Buffer): Promise<void> => {
  await using directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  await directory.sync();
};
