/**
 * The log of receipts (docs/protocol/receipts.md): one append after the other.
 *
 * 1. the entry is written and brought to stable storage
 * 2. the head in the database moves on
 * 3. the transfer may be reported as done
 */
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { decodeReceiptBody, encodeReceiptEntry, type PeerId, ReceiptChain, receiptLogHeader } from '@peerd/protocol';
import { type Logger, verifySignature } from '@peerd/service';
import type { Database } from '../database/ports.ts';
import { type IndexRow, keyOf, ReceiptIndex } from './index-store.ts';
import { ReceiptLogFile } from './log-file.ts';
import { type LogEnd, recoverLog } from './open-log.ts';
import type { LoggedReceipt, NewReceipt, ReceiptCheck, ReceiptKey, ReceiptLog } from './ports.ts';

const fileName = 'receipts.log';
/** Signatures that are checked before others have their turn. */
const checksPerTurn = 32;

export interface ReceiptLogOptions {
  readonly stateDir: string;
  readonly database: Database;
  readonly self: PeerId;
  readonly logger: Logger;
}

/** Mends what an interruption has left. @throws the error of the system when the file cannot be used */
export const openReceiptLog = async (options: ReceiptLogOptions): Promise<ReceiptLog> => {
  const path = join(options.stateDir, fileName);
  const file = await ReceiptLogFile.open(path);
  try {
    const index = new ReceiptIndex(options.database);
    return new StoredReceipts(options.self, path, { file, index }, await recoverLog(file, index, options.logger));
  } catch (error) {
    await file.close();
    throw error;
  }
};

class StoredReceipts implements ReceiptLog {
  readonly path: string;
  readonly #self: PeerId;
  readonly #file: ReceiptLogFile;
  readonly #index: ReceiptIndex;
  #end: LogEnd;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(self: PeerId, path: string, { file, index }: { file: ReceiptLogFile; index: ReceiptIndex }, end: LogEnd) {
    this.#self = self;
    this.path = path;
    this.#file = file;
    this.#index = index;
    this.#end = end;
  }

  append(receipt: NewReceipt): Promise<void> {
    return this.#inTurn(async () => {
      const key = keyOf(receipt.role, decodeReceiptBody(receipt.body));
      const known = (await this.find(key))?.content?.record;
      if (known && Buffer.compare(known.body, receipt.body) === 0 && Buffer.compare(known.signature, receipt.signature) === 0) return;
      const { seq: last, hash: previous, offset } = this.#end;
      const seq = last + 1;
      const { bytes, hash } = encodeReceiptEntry({ seq, previous, ...receipt });
      await this.#file.append(offset, bytes);
      try {
        await this.#index.insert({ seq, offset, bytes: bytes.length, hash, ...key });
      } catch (error) {
        // Nothing was reported of it.
        await this.#file.cut(offset);
        throw error;
      }
      this.#end = { seq, hash, offset: offset + bytes.length };
    });
  }

  async find(key: ReceiptKey): Promise<LoggedReceipt | undefined> {
    const row = await this.#index.find(key);
    return row && this.#read(row);
  }

  async list(offset: number, limit: number): Promise<{ receipts: LoggedReceipt[]; total: number }> {
    const receipts: LoggedReceipt[] = [];
    for (const row of await this.#index.page(offset, limit)) receipts.push(await this.#read(row));
    return { receipts, total: await this.#index.count() };
  }

  async verify(signal: AbortSignal): Promise<ReceiptCheck> {
    // Between two appends: what is written now is not taken for damage.
    const { head, size } = await this.#inTurn(async () => ({ head: this.#end, size: await this.#file.size() }));
    const chain = new ReceiptChain({ self: this.#self, head, verifySignature });
    if (await this.#file.hasHeader()) await this.#follow(chain, size, signal);
    else chain.headerDamaged();
    return { problem: chain.finish(size), intact: chain.intact, written: head.seq };
  }

  async close(): Promise<void> {
    await this.#inTurn(() => this.#file.close());
  }

  async #follow(chain: ReceiptChain, size: number, signal: AbortSignal): Promise<void> {
    let count = 0;
    for await (const { offset, entry } of this.#file.entries(receiptLogHeader.length, size)) {
      signal.throwIfAborted();
      chain.take(entry, offset);
      // Only what seems to be removed may stand further down.
      if (chain.problem && chain.problem.kind !== 'removed') return;
      count += 1;
      if (count % checksPerTurn === 0) await nextTurn();
    }
  }

  async #read({ seq, offset, hash, role, peer, peerName, transfer }: IndexRow): Promise<LoggedReceipt> {
    const entry = await this.#file.entryAt(offset);
    const isThere = entry.kind === 'entry' && entry.hash.equals(hash);
    return { seq, hash, role, peer, peerName, transfer, content: isThere ? { record: entry.record, body: decodeReceiptBody(entry.record.body) } : undefined };
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const running = this.#turn.then(task);
    this.#turn = running.catch(() => {});
    return running;
  }
}
