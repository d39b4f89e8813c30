/** The files of a transfer that comes here: its manifest, and after consent staging and journal. Opened when they are needed. */
import { Manifest, Receiver } from '@peerd/transfer';
import type { TransferEnvironment } from './environment.ts';
import { removeState, stagingName, statePaths } from './layout.ts';
import type { LiveRecord } from './live-record.ts';
import type { TransferRecord } from './record.ts';

export class ReceivedContent {
  readonly #environment: TransferEnvironment;
  readonly #live: LiveRecord;
  #manifest: Promise<Manifest> | undefined;
  #opening: Promise<Receiver> | undefined;
  #receiver: Receiver | undefined;
  #counted = { chunks: 0, bytes: 0 };
  /** The last check of the journal, ended or not; never rejects. */
  #checking: Promise<void> = Promise.resolve();
  /** Since the last `rest`; never rejects. */
  #resting: Promise<void> = Promise.resolve();

  constructor(environment: TransferEnvironment, live: LiveRecord) {
    this.#environment = environment;
    this.#live = live;
  }

  /** Once it is open. */
  get receiver(): Receiver | undefined {
    return this.#receiver;
  }

  manifest(): Promise<Manifest> {
    const { record } = this.#live;
    this.#manifest ??= Manifest.open(statePaths(this.#environment.settings.stateDir, record).manifest, record.chunkSize);
    return this.#manifest;
  }

  /** Staging and journal, with what is known to have failed. @throws PeerdError `no_space`, `io_error` */
  open(): Promise<Receiver> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /** Opens staging and journal, after what `rest` has still to close, and checks on disk what the journal claims. */
  async check(signal: AbortSignal): Promise<void> {
    const rested = this.#resting;
    const work = async (): Promise<void> => {
      await rested;
      signal.throwIfAborted();
      await this.verify(await this.open(), signal);
    };
    const checking = work();
    this.#checking = checking.catch(() => {});
    await checking;
  }

  /** Closes staging and journal, with their thread, when the check that was given up and the readers have ended. */
  rest(readers: Promise<void>): Promise<void> {
    this.#resting = Promise.all([this.#resting, this.#checking, readers])
      .then(() => this.#closeReceiver())
      .catch((error: unknown) => this.#live.logger.error({ err: error }, 'transfer: the files of a paused transfer cannot be closed'));
    return this.#resting;
  }

  /** Checks on disk what the journal claims. */
  async verify(receiver: Receiver, signal: AbortSignal): Promise<void> {
    using _slot = await this.#environment.checkSlots.take(this.#live.record, signal);
    await receiver.verify(signal);
    this.#countFrom(receiver);
    this.count();
  }

  /** What the receiver object counted since the last time, into the record and the metrics. */
  count(): void {
    const receiver = this.#receiver;
    if (!receiver) return;
    const { record } = this.#live;
    const { received, reused, rewritten } = receiver.counters;
    const chunks = received - this.#counted.chunks;
    if (chunks > 0) this.#environment.metrics.content('receive', chunks, Math.max(0, receiver.bytesDone - this.#counted.bytes));
    this.#countFrom(receiver);
    const counts: Partial<TransferRecord> = { received, reused, rewritten, bytesDone: Math.min(record.bytes, receiver.bytesDone) };
    Object.assign(record, counts);
  }

  async close(): Promise<void> {
    await this.#closeReceiver();
    const manifest = await this.#manifest?.catch(() => undefined);
    this.#manifest = undefined;
    await manifest?.close();
  }

  /** Everything of ours leaves the destination; without consent, the state directory too. What was delivered stays. */
  async discard(): Promise<void> {
    const { record } = this.#live;
    const { stateDir } = this.#environment.settings;
    if (record.destination === undefined) await removeState(stateDir, record);
    else await Receiver.discard({ destination: record.destination, stagingName: stagingName(record), ...(record.receipt ? {} : { journalPath: statePaths(stateDir, record).journal }) });
  }

  async #closeReceiver(): Promise<void> {
    const receiver = await this.#opening?.catch(() => undefined);
    this.#opening = undefined;
    if (receiver) this.count();
    this.#receiver = undefined;
    await receiver?.close();
  }

  async #open(): Promise<Receiver> {
    const { record } = this.#live;
    const { settings } = this.#environment;
    const failures = this.#live.loadFailures();
    // Looked at below.
    failures.catch(() => {});
    const receiver = await Receiver.open({
      manifest: await this.manifest(), destination: record.destination ?? settings.downloadDir, stagingName: stagingName(record),
      journalPath: statePaths(settings.stateDir, record).journal, stages: this.#live.clock,
      // Its sender may write over these files; anybody else learns nothing of them.
      useBasis: record.conflict === 'overwrite',
    });
    await failures;
    for (const { entry, code, message } of this.#live.failures.values()) receiver.entryFailed(entry, code, message);
    this.#countFrom(receiver);
    this.#receiver = receiver;
    return receiver;
  }

  /** What is there already counts for no metric. */
  #countFrom(receiver: Receiver): void {
    this.#counted = { chunks: receiver.counters.received, bytes: receiver.bytesDone };
  }
}
