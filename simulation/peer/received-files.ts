/** Staging and chunk journal of a transfer that comes here, as packages/transfer/src/receiver keeps them: written behind what arrives. */
import type { TransferEnd } from '@peerd/protocol';
import type { Staging } from '../world/disk.ts';
import type { Process } from '../world/machine.ts';
import type { ChunkBits } from '../world/message.ts';

const journalLagMs = 200;

export class ReceivedFiles {
  readonly #process: Process;
  readonly #transfer: string;
  readonly #staging: Staging;
  /** On disk and known to be right; of these, the ones that the last `have` named. */
  readonly #present = new Set<number>();
  #told = new Set<number>();
  readonly #underWay = new Set<number>();
  readonly #unwritten = new Set<number>();
  readonly #idle: (() => void)[] = [];
  #verified = false;
  #flushing = false;
  #failure: TransferEnd | undefined;
  #closed = false;

  constructor(process: Process, transfer: string, chunks: number) {
    this.#process = process;
    this.#transfer = transfer;
    this.#staging = process.machine.disk.stagingOf(transfer, chunks);
  }

  get sealed(): boolean {
    return this.#staging.sealed;
  }

  get have(): ChunkBits {
    let bits = 0;
    for (const index of this.#told) bits |= 1 << index;
    return bits;
  }

  /** Nothing is being written. */
  idle(then: () => void): void {
    if (this.#underWay.size === 0) then();
    else this.#idle.push(then);
  }

  /** What the journal claims is read again once, and begins a round of content. */
  verify(givenUp: () => boolean, done: (error: TransferEnd | undefined) => void): void {
    this.idle(() => {
      this.#failure = undefined;
      this.#process.machine.disk.work(this.#process, 40, (error) => {
        if (givenUp()) return;
        if (error) return done(error);
        if (!this.#verified) {
          this.#staging.journal.forEach((claimed, index) => {
            if (claimed === 1 && this.#staging.data[index] === 1) this.#present.add(index);
            else this.#staging.journal[index] = 0;
          });
          this.#verified = true;
        }
        this.#told = new Set(this.#present);
        this.#process.machine.ledger.counts.reused += this.#told.size;
        done(undefined);
      });
    });
  }

  /** A chunk has arrived. @returns why it can't be taken */
  take(index: number): TransferEnd | undefined {
    const { ledger, disk, random } = this.#process.machine;
    const at = (): string => `chunk ${index} of ${this.#transfer} at ${this.#process.machine.name}`;
    ledger.check(this.#verified && !this.#closed, 'no chunk before the journal was checked', at);
    ledger.check(!this.#told.has(index), 'rewritten = 0', at);
    ledger.check(!this.#present.has(index) && !this.#underWay.has(index), 'chunks do not travel twice within a round', at);
    if (this.#failure) return this.#failure;
    ledger.counts.chunks += 1;
    this.#underWay.add(index);
    disk.work(this.#process, 15, (error) => {
      this.#underWay.delete(index);
      if (error) this.#failure = error;
      else {
        this.#staging.data[index] = 1;
        // The kernel writes back when it likes.
        if (random.chance(0.3)) this.#staging.flushed[index] = 1;
        this.#present.add(index);
        this.#unwritten.add(index);
        this.#flushLater();
      }
      if (this.#underWay.size === 0) for (const then of this.#idle.splice(0)) then();
    });
    return undefined;
  }

  /** All content is there, and on the platter: only placing is left. @param done `missing` when chunks are not there */
  complete(done: (outcome: TransferEnd | 'missing' | undefined) => void): void {
    this.idle(() => {
      if (this.#failure) return done(this.#failure);
      if (this.#present.size < this.#staging.data.length) return done('missing');
      const { disk } = this.#process.machine;
      disk.work(this.#process, 30, (error) => {
        if (error) return done(error);
        disk.flush(this.#staging);
        disk.work(this.#process, 5, (sealError) => {
          if (!sealError) this.#staging.sealed = true;
          done(sealError);
        });
      });
    });
  }

  /** Closed until the next check, which looks at everything again. */
  rest(): void {
    this.idle(() => {
      this.#flush();
      this.#verified = false;
      this.#present.clear();
      this.#told.clear();
    });
  }

  /** What is claimed goes into the journal before it is closed. */
  close(): void {
    this.#closed = true;
    this.#flush();
  }

  #flushLater(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#process.after(journalLagMs, () => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    for (const index of this.#unwritten) this.#staging.journal[index] = 1;
    this.#unwritten.clear();
    if (this.#process.machine.random.chance(0.3)) this.#staging.journalFlushed.set(this.#staging.journal);
  }
}
