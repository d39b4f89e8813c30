/**
 * The sender's data connections of one round of content: the first is opened when the first chunk is there, or before where
 * it is known that one will come; further ones as connection-count.ts decides. Each piece goes to one that takes it.
 */
import { PeerdError, type TransferId } from '@peerd/protocol';
import type { DataSink } from '@peerd/transfer';
import type { Link } from '../peer/ports.ts';
import { type CountEvent, countStep, oneConnection } from './connection-count.ts';
import { DataStrand } from './data-strand.ts';
import { FlowMeter } from './flow-meter.ts';

export interface DataFlowOptions {
  readonly link: Link;
  readonly transfer: TransferId;
  readonly maxBytes: number;
  /** Connections that the receiver reads at a time. */
  readonly mostConnections: number;
  /** The first connection is up. */
  readonly onOpen: () => void;
  /** Aborts when the round is given up. */
  readonly signal: AbortSignal;
}

export class DataFlow implements DataSink, Disposable {
  readonly #options: DataFlowOptions;
  readonly #over = new AbortController();
  /** Those that pieces go to; the first one is there from the start. */
  readonly #strands: DataStrand[];
  /** What is opened or ended beside them; never rejects. */
  readonly #underWay = new Set<Promise<void>>();
  #count = oneConnection;
  #meter: FlowMeter | undefined;
  #opening: Promise<void> | undefined;
  /** Of the further one that is being opened. */
  #trying: AbortController | undefined;
  #progressed = false;
  #lost: { readonly error: unknown } | undefined;
  /** Somebody waits for a strand that takes a piece. */
  #wake: (() => void) | undefined;

  constructor(options: DataFlowOptions) {
    this.#options = options;
    this.#strands = [this.#newStrand(this.#over.signal)];
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal.aborted) this.#onAbort();
  }

  /** A connection failed, not what was to be sent on it. */
  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /** Chunks were written to a connection. */
  get progressed(): boolean {
    return this.#progressed;
  }

  /** Opens the first connection while the first chunk is read. How it failed, the first write says. */
  prepare(): void {
    this.#opening ??= this.#openFirst();
    this.#opening.catch(() => {});
  }

  /** Resolves when a connection has taken the piece. What becomes of it there, the next call says. One caller at a time. */
  async write(buffers: readonly Uint8Array[], release?: () => void): Promise<void> {
    await this.#guard(() => (this.#opening ??= this.#openFirst()));
    this.#meter ??= new FlowMeter();
    const strand = await this.#meter.blocked(() => this.#free());
    let bytes = 0;
    for (const buffer of buffers) bytes += buffer.byteLength;
    void this.#send(strand, buffers, bytes, release);
    const sample = this.#meter.sent(bytes);
    if (sample) this.#decide({ type: 'sample', ...sample });
  }

  /** Resolves when the receiver has read everything. */
  async end(): Promise<void> {
    // One that could not be opened, and that nothing was to be sent on, is nobody's loss.
    await this.#opening?.catch(() => {});
    this.#trying?.abort(new PeerdError('cancelled', 'everything was sent'));
    await this.#guard(() => Promise.all(this.#strands.map((strand) => strand.end())));
    await Promise.all(this.#underWay);
    if (this.#lost) throw this.#lost.error;
  }

  [Symbol.dispose](): void {
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#over.abort(new PeerdError('cancelled', 'the content flow ended'));
  }

  #newStrand(signal: AbortSignal): DataStrand {
    const { link, transfer, maxBytes } = this.#options;
    return new DataStrand({ link, transfer, maxBytes, signal });
  }

  async #openFirst(): Promise<void> {
    await this.#strands[0]?.open();
    this.#options.onOpen();
  }

  async #free(): Promise<DataStrand> {
    for (;;) {
      this.#over.signal.throwIfAborted();
      if (this.#lost) throw this.#lost.error;
      const free = this.#strands.find(({ isBusy }) => !isBusy);
      if (free) return free;
      await this.#change();
    }
  }

  /** Never rejects. */
  async #send(strand: DataStrand, buffers: readonly Uint8Array[], bytes: number, release: (() => void) | undefined): Promise<void> {
    try {
      await this.#guard(() => strand.send(buffers, bytes, release));
      this.#progressed = true;
    } catch {
      // Whoever comes next hears of it.
    }
    this.#changed();
  }

  #decide(event: CountEvent): void {
    const { state, effect } = countStep(this.#count, event, this.#options.mostConnections);
    this.#count = state;
    if (effect === 'open') this.#beside(() => this.#tryOne());
    const last = effect === 'close' ? this.#strands.pop() : undefined;
    if (last) this.#beside(() => this.#guard(() => last.end()));
  }

  async #tryOne(): Promise<void> {
    const trying = new AbortController();
    this.#trying = trying;
    const strand = this.#newStrand(AbortSignal.any([this.#over.signal, trying.signal]));
    try {
      await strand.open();
    } catch {
      // The others go on.
      return this.#decide({ type: 'refused' });
    } finally {
      this.#trying = undefined;
    }
    this.#strands.push(strand);
    this.#decide({ type: 'opened' });
    this.#changed();
  }

  #beside(work: () => Promise<void>): void {
    const running = work().catch(() => {}).finally(() => this.#underWay.delete(running));
    this.#underWay.add(running);
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  #changed(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  async #guard<T>(use: () => Promise<T>): Promise<T> {
    try {
      return await use();
    } catch (error) {
      // What is destroyed here is not lost.
      if (!this.#over.signal.aborted) this.#lost ??= { error };
      throw error;
    }
  }

  readonly #onAbort = (): void => {
    const { reason } = this.#options.signal;
    this.#over.abort(reason instanceof PeerdError ? reason : new PeerdError('cancelled', 'the content flow was given up'));
    this.#changed();
  };
}
