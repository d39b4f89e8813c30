/** One of the data connections that a flow uses side by side: opened once, and replaced after so many bytes. */
import { type PeerdError, type TransferId } from '@peerd/protocol';
import type { DataConnection, Link } from '../peer/ports.ts';

export interface StrandOptions {
  readonly link: Link;
  readonly transfer: TransferId;
  readonly maxBytes: number;
  /** Aborts when nobody wants it any more; then it is destroyed. */
  readonly signal: AbortSignal;
}

export class DataStrand {
  readonly #options: StrandOptions;
  #connection: DataConnection | undefined;
  #opening: Promise<DataConnection> | undefined;
  #written = 0;
  #isBusy = false;
  /** Never rejects. */
  #sending: Promise<unknown> = Promise.resolve();

  constructor(options: StrandOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** It does not take the next piece yet. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** @throws PeerdError; the reason of `signal` */
  async open(): Promise<void> {
    await (this.#opening ??= this.#open());
  }

  /** Resolves when it takes the next piece; one at a time. @throws PeerdError */
  async send(buffers: readonly Uint8Array[], bytes: number, release: (() => void) | undefined): Promise<void> {
    this.#isBusy = true;
    const sending = this.#send(buffers, bytes, release);
    this.#sending = sending.catch(() => {});
    try {
      await sending;
    } finally {
      this.#isBusy = false;
    }
  }

  /** Resolves when the receiver has read everything. One that could not be opened ends too. */
  async end(): Promise<void> {
    await this.#sending;
    await this.#endConnection();
  }

  async #send(buffers: readonly Uint8Array[], bytes: number, release: (() => void) | undefined): Promise<void> {
    if (this.#connection && this.#written + bytes > this.#options.maxBytes) await this.#endConnection();
    const connection = this.#connection ?? (await (this.#opening ??= this.#open()));
    await connection.write(buffers, release);
    this.#written += bytes;
  }

  async #endConnection(): Promise<void> {
    const connection = this.#connection ?? (await this.#opening?.catch(() => undefined));
    if (!connection) return;
    await connection.end();
    this.#connection = undefined;
    this.#opening = undefined;
    this.#written = 0;
  }

  async #open(): Promise<DataConnection> {
    const { link, transfer, signal } = this.#options;
    const connection = await link.openData(transfer, signal);
    if (signal.aborted) {
      connection.destroy(signal.reason as PeerdError);
      throw signal.reason;
    }
    this.#connection = connection;
    return connection;
  }

  readonly #onAbort = (): void => this.#connection?.destroy(this.#options.signal.reason as PeerdError);
}
