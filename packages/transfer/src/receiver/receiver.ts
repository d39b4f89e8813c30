/**
 * The way of content into the receiver:
 *
 *  1. `verify`: directories are made, what the journal of an earlier run claims is hashed again, and so is a basis
 *  2. `have`: what need not travel
 *  3. `frame`: expanded if it is compressed; announced? not there yet? right hash? Then written behind and journalled
 *  4. `complete`: what the sender left out is copied from the basis; nothing is missing, and the whole has the content root of the sender
 *  5. `place`: finished, flushed, sealed, moved to its final names; staging goes
 */
import { type Frame, hashBytes, havePageHashes, PeerdError } from '@peerd/protocol';
import type { Manifest } from '../manifest/manifest.ts';
import type { StageClock } from '../stage-clock.ts';
import { IndexSet } from '../store/index-set.ts';
import { ChunkJournal } from '../store/chunk-journal.ts';
import { contentRootOf, fileRootIn } from '../store/content-root.ts';
import { assertCapacity, assertFreeBytes } from '../store/free-space.ts';
import { Zeros } from '../zeros.ts';
import { Staging } from '../store/staging.ts';
import { FileThread } from '../thread/file-thread.ts';
import { type Arrival, arrivalsOf, assertHashes } from './arrivals.ts';
import { type BasisOptions, copyBasis, hashBasis } from './basis.ts';
import { bytesOfChunk, bytesOfChunks } from './chunk-bytes.ts';
import { ChunkWriter } from './chunk-writer.ts';
import { makeDirectories } from './directories.ts';
import { expanded } from './expanded.ts';
import { discardReceived } from './discard.ts';
import { concludePlacement, finishReceived, placeSealed } from './place.ts';
import type { PlaceOptions, PlaceResult, Received } from './received.ts';
import { decodeSealContent, type Failure, type Seal } from './seal.ts';
import { verifyClaims } from './verify.ts';

export interface ReceiverOptions {
  readonly manifest: Manifest;
  /** An existing directory. */
  readonly destination: Buffer | string;
  readonly stagingName: string;
  readonly journalPath: string;
  readonly stages: StageClock;
  /** Take what files of the same paths in the destination have in common with the new ones. The sender gets hashes of their chunks. */
  readonly useBasis?: boolean;
}

/** `received` and `rewritten` count over all restarts; `reused` is what was there and verified when this flow started. */
export interface ReceiverCounters {
  readonly received: number;
  readonly reused: number;
  readonly rewritten: number;
}

export class Receiver {
  readonly #manifest: Manifest;
  readonly #stages: StageClock;
  readonly #journal: ChunkJournal;
  readonly #staging: Staging;
  readonly #thread = new FileThread();
  readonly #writer: ChunkWriter;
  readonly #zeros: Zeros;
  readonly #failures: Map<number, Failure>;
  readonly #skipped: IndexSet;
  #seal: Seal | undefined;
  /** On disk and known to be right. */
  #present: IndexSet;
  /** Of these, the ones from before this flow that have not come again. */
  #reused: IndexSet;
  readonly #underWay: IndexSet;
  readonly #useBasis: boolean;
  /** Hashes of chunks of files in the destination. What the sender leaves out of them is copied. */
  #basis: ReadonlyMap<number, Buffer> = new Map();
  #reusedCount = 0;
  #bytesDone = 0;
  #isVerified = false;
  /** Directories can be written to. The finish takes that away. */
  #areDirectoriesOpen = false;
  /** Set once everything is known to be there. */
  #contentRoot: Buffer | undefined;
  #closing: Promise<void> | undefined;
  readonly #closed = new AbortController();

  private constructor(options: ReceiverOptions, journal: ChunkJournal, staging: Staging) {
    this.#manifest = options.manifest;
    this.#stages = options.stages;
    this.#journal = journal;
    this.#staging = staging;
    const { chunks, entries } = options.manifest.summary;
    this.#seal = journal.sealed === undefined ? undefined : decodeSealContent(journal.sealed, entries);
    this.#failures = new Map(this.#seal?.failures);
    this.#skipped = this.#seal?.skipped ?? new IndexSet(entries);
    this.#present = new IndexSet(chunks);
    this.#reused = new IndexSet(chunks);
    this.#underWay = new IndexSet(chunks);
    this.#useBasis = options.useBasis ?? false;
    this.#zeros = new Zeros(options.manifest.chunkSize);
    this.#writer = new ChunkWriter({
      manifest: options.manifest,
      zeros: this.#zeros,
      thread: this.#thread,
      stages: options.stages,
      onWritten: (arrivals) => this.#written(arrivals),
      onLost: (arrivals) => {
        for (const { index } of arrivals) this.#underWay.clear(index);
      },
    });
  }

  /** Opens or re-opens staging and journal. @throws PeerdError `no_space`, `io_error`, `invalid_argument` */
  static async open(options: ReceiverOptions): Promise<Receiver> {
    const { chunks, bytes, offerRoot } = options.manifest.summary;
    const staging = await Staging.open(options.destination, options.stagingName);
    let journal: ChunkJournal | undefined;
    let receiver: Receiver | undefined;
    try {
      // Before anything is allocated for what a peer has announced.
      await assertCapacity(staging.destinationPath, bytes);
      journal = await ChunkJournal.open({ path: options.journalPath, chunks, offerRoot });
      if (journal.sealed === undefined) await assertFreeBytes(staging.destinationPath, bytes - (await bytesOfChunks(options.manifest, journal.claimed)));
      receiver = new Receiver(options, journal, staging);
      await receiver.#thread.call('stagingOpen', { rootFd: staging.treeFd });
      return receiver;
    } catch (error) {
      if (receiver !== undefined) await receiver.close();
      else {
        await journal?.close();
        await staging.close();
      }
      throw error;
    }
  }

  /** Removes staging and journal, and nothing else. @throws PeerdError `io_error` */
  static async discard(options: { destination: Buffer | string; stagingName: string; journalPath?: string }): Promise<void> {
    await discardReceived(options);
  }

  /** All content was complete in this or an earlier run: only `place` is left to do, and it needs no sender. */
  get sealed(): boolean {
    return this.#seal !== undefined;
  }

  /** In bytes. */
  get chunkSize(): number {
    return this.#manifest.chunkSize;
  }

  get counters(): ReceiverCounters {
    return { ...this.#journal.counters, reused: this.#reusedCount };
  }

  /** Bytes of the chunks that are on disk. */
  get bytesDone(): number {
    return this.#bytesDone;
  }

  /** By entry index. */
  get failures(): ReadonlyMap<number, Failure> {
    return this.#failures;
  }

  /** Runs of entries that stayed as they were in the destination, ascending. */
  get skipped(): { start: number; count: number }[] {
    return [...this.#skipped.runs(this.#skipped.size)];
  }

  /** Starts a flow: to be called before the first frame of every link, and after the frames of the link before. @throws PeerdError, the reason of `signal` */
  async verify(signal: AbortSignal): Promise<void> {
    await this.#writer.idle();
    this.#writer.forgetFailure();
    this.#journal.forgetFailure();
    if (!this.#isVerified) {
      if (this.#seal === undefined) {
        await makeDirectories(this.#manifest, this.#thread, signal);
        this.#areDirectoriesOpen = true;
        await verifyClaims({ manifest: this.#manifest, journal: this.#journal, thread: this.#thread, stages: this.#stages, signal });
      }
      this.#present = this.#journal.claimed.copy();
      if (this.#seal === undefined && this.#useBasis)
        this.#basis = await hashBasis(this.#basisOptions(signal));
      this.#bytesDone = await bytesOfChunks(this.#manifest, this.#present);
      this.#isVerified = true;
    }
    await this.#journal.flush();
    this.#reused = this.#present.copy();
    this.#reusedCount = this.#present.count;
  }

  /** What is there, in ascending runs that fit a `have` message each. */
  *have(): Generator<{ start: number; hashes: Buffer }, void, void> {
    const there = this.#reused.copy();
    for (const index of this.#basis.keys()) if (!this.#present.has(index)) there.set(index);
    for (const { start, count } of there.runs(havePageHashes)) {
      const hashes = this.#journal.readSync(start, count);
      for (let index = start; index < start + count; index += 1) if (!this.#present.has(index)) this.#basis.get(index)?.copy(hashes, (index - start) * hashBytes);
      yield { start, hashes };
    }
  }

  /**
   * Takes a chunk, a pack, a hole, or what stands for one compressed. Resolves when another may come; the payload belongs to the receiver from then on, which releases it, also where this throws.
   *
   * @throws PeerdError `integrity`, `malformed_frame`, `unexpected_message`; `no_space` or `io_error` also of frames before
   */
  async frame(arrived: Frame): Promise<void> {
    let frame = arrived;
    let admitted: Arrival[];
    try {
      this.#assertReceiving();
      frame = await expanded(arrived, this.#manifest.chunkSize, this.#stages);
      const arrivals = await arrivalsOf(frame, this.#manifest, this.#zeros);
      this.#assertReceiving();
      this.#writer.assertHealthy();
      admitted = this.#admit(arrivals);
    } catch (error) {
      frame.release?.();
      throw error;
    }
    await this.#writer.write(admitted, frame.release);
    await this.#journal.room();
  }

  /** The sender can't send this entry. Chunks of it that still arrive are dropped. @throws PeerdError `malformed_frame` */
  entryFailed(entry: number, code: string, message: string): void {
    if (entry >= this.#manifest.summary.entries) throw new PeerdError('malformed_frame', `entry ${entry} was not announced, there are ${this.#manifest.summary.entries}`);
    if (this.#seal === undefined && !this.#failures.has(entry)) this.#failures.set(entry, { code, message });
  }

  /** @throws PeerdError `integrity` when something is missing or the whole is not what was sent; `no_space`, `io_error` of the last writes */
  async complete(contentRoot: Uint8Array): Promise<void> {
    if (this.#seal !== undefined) return assertSameRoot(this.#seal.contentRoot, contentRoot);
    this.#assertReceiving();
    await this.#writer.idle();
    this.#writer.assertHealthy();
    await this.#adoptBasis();
    await this.#journal.flush();
    const own = await contentRootOf(this.#manifest, this.#journal, (entry) => this.#failures.has(entry));
    if (own.missing > 0) throw new PeerdError('integrity', `${own.missing} chunks have not arrived`, { hint: 'Resume the transfer: only these are sent again.' });
    assertSameRoot(own.contentRoot, contentRoot);
    this.#contentRoot = own.contentRoot;
  }

  /** Delivers. May be called again after any interruption. @throws PeerdError `wrong_state`, `no_space`, `io_error`; errors of the log; the reason of `signal` */
  async place(options: PlaceOptions): Promise<PlaceResult> {
    const received: Received = { manifest: this.#manifest, journal: this.#journal, staging: this.#staging, thread: this.#thread, failures: this.#failures, skipped: this.#skipped };
    if (this.#seal === undefined) {
      const contentRoot = this.#contentRoot;
      if (contentRoot === undefined) throw new PeerdError('wrong_state', 'the content is not complete yet');
      if (!this.#areDirectoriesOpen) await makeDirectories(this.#manifest, this.#thread, options.signal);
      this.#areDirectoriesOpen = false;
      this.#seal = await finishReceived(received, contentRoot, options);
    }
    await placeSealed(received, this.#seal.contentRoot, options);
    return concludePlacement(received, options);
  }

  /** `undefined` while chunks of the file are missing, and for what is no file or has failed. @throws PeerdError `not_found` */
  async fileRoot(entryIndex: number): Promise<Buffer | undefined> {
    return this.#failures.has(entryIndex) ? undefined : fileRootIn(this.#manifest, this.#journal, entryIndex);
  }

  /** Lets the writes finish and keeps everything for a resume. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#closed.abort(new PeerdError('wrong_state', 'the receiver is closed'));
    await this.#writer.idle();
    await this.#journal.close();
    await this.#thread.close();
    await this.#staging.close();
  }

  #assertReceiving(): void {
    if (this.#closing !== undefined) throw new PeerdError('wrong_state', 'the receiver is closed');
    if (!this.#isVerified) throw new PeerdError('wrong_state', 'what is there has not been verified yet');
    if (this.#seal !== undefined) throw new PeerdError('malformed_frame', 'a chunk came after everything was complete');
  }

  /** Decides which chunks are written. Nothing waits in between, so of two frames with the same chunk one is refused. */
  #admit(arrivals: readonly Arrival[]): Arrival[] {
    const wanted = arrivals.filter(({ file }) => !this.#failures.has(file.index));
    let admitted = 0;
    try {
      for (const { index } of wanted) {
        if (this.#underWay.has(index) || (this.#present.has(index) && !this.#reused.has(index))) throw new PeerdError('malformed_frame', `chunk ${index} came twice`);
        this.#underWay.set(index);
        admitted += 1;
      }
      assertHashes(wanted, this.#stages);
    } catch (error) {
      for (const { index } of wanted.slice(0, admitted)) this.#underWay.clear(index);
      throw error;
    }
    this.#contentRoot = undefined;
    return wanted;
  }

  /** What is another by now is missing, and comes in the next round. */
  async #adoptBasis(): Promise<void> {
    const basis = this.#basis;
    this.#basis = new Map();
    await copyBasis(this.#basisOptions(this.#closed.signal), basis, async (file, index, hash) => {
      const bytes = bytesOfChunk(file, index, this.#manifest.chunkSize);
      this.#present.set(index);
      this.#reusedCount += 1;
      this.#bytesDone += bytes;
      this.#journal.set(index, hash, bytes);
      await this.#journal.room();
    });
  }

  #basisOptions(signal: AbortSignal): BasisOptions {
    return { manifest: this.#manifest, staging: this.#staging, thread: this.#thread, stages: this.#stages, zeros: this.#zeros, present: this.#present, signal };
  }

  #written(arrivals: readonly Arrival[]): void {
    const { counters } = this.#journal;
    for (const { index, hash, content, file } of arrivals) {
      this.#underWay.clear(index);
      counters.received += 1;
      if (this.#present.has(index)) counters.rewritten += 1;
      else this.#bytesDone += bytesOfChunk(file, index, this.#manifest.chunkSize);
      this.#present.set(index);
      this.#reused.clear(index);
      this.#journal.set(index, hash, content.length);
    }
  }
}

const assertSameRoot = (own: Buffer, theirs: Uint8Array): void => {
  if (!own.equals(theirs)) throw new PeerdError('integrity', 'the content that arrived is not the content that was sent: the content roots differ', { hint: 'Cancel the transfer and send again.' });
};
