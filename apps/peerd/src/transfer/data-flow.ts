/**
 * The sender's data connections of one round of content, one after the other: opened when the first chunk is there, or
 * before where it is known that one will come; replaced after so many bytes.
 */
import { PeerdError, type TransferId } from '@peerd/protocol';
import type { DataSink } from '@peerd/transfer';
import type { DataConnection, Link } from '../peer/ports.ts';

export interface DataFlowOptions {
  readonly link: Link;
  readonly transfer: TransferId;
  readonly maxBytes: number;
  /** The first connection is up. */
  readonly onOpen: () => void;
  /** Aborts when the round is given up. */
  readonly signal: AbortSignal;
}

export class DataFlow implements DataSink, Disposable {
  readonly #options: DataFlowOptions;
  #connection: DataConnection | undefined;
  #opening: Promise<DataConnection> | undefined;
  #disposed = false;
  #written = 0;
  #opened = false;
  #progressed = false;
  #lost: unknown;

  constructor(options: DataFlowOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
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
    this.#opening ??= this.#open();
    this.#opening.catch(() => {});
  }

  async write(buffers: readonly Uint8Array[], release?: () => void): Promise<void> {
    const { maxBytes } = this.#options;
    let bytes = 0;
    for (const buffer of buffers) bytes += buffer.byteLength;
    if (this.#connection && this.#written + bytes > maxBytes) await this.end();
    const connection = this.#connection ?? (await (this.#opening ??= this.#open()));
    await this.#guard(() => connection.write(buffers, release));
    this.#written += bytes;
    this.#progressed = true;
  }

  /** Resolves when the receiver has read everything. */
  async end(): Promise<void> {
    // One that could not be opened, and that nothing was to be sent on, is nobody's loss.
    const connection = this.#connection ?? (await this.#opening?.catch(() => undefined));
    if (!connection) return;
    await this.#guard(() => connection.end());
    this.#connection = undefined;
    this.#opening = undefined;
    this.#written = 0;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#connection?.destroy(new PeerdError('cancelled', 'the content flow ended'));
  }

  async #open(): Promise<DataConnection> {
    const { link, transfer, signal, onOpen } = this.#options;
    const connection = await this.#guard(() => link.openData(transfer, signal));
    if (signal.aborted || this.#disposed) {
      connection.destroy(reasonOf(signal));
      throw reasonOf(signal);
    }
    this.#connection = connection;
    if (!this.#opened) onOpen();
    this.#opened = true;
    return connection;
  }

  async #guard<T>(use: () => Promise<T>): Promise<T> {
    try {
      return await use();
    } catch (error) {
      this.#lost ??= error;
      throw error;
    }
  }

  readonly #onAbort = (): void => this.#connection?.destroy(reasonOf(this.#options.signal));
}

const reasonOf = (signal: AbortSignal): PeerdError => (signal.reason instanceof PeerdError ? signal.reason : new PeerdError('cancelled', 'the content flow was given up'));
