/**
 * The log after a start. An interruption leaves at most this behind the head: entries that are whole, which are taken over,
 * and one that was not written to its end, which is cut off. Everything else is damage, and stays as it is.
 */
import { decodeReceiptBody, firstReceiptLink, type ReceiptBody, receiptEntryMaxBytes, receiptLogHeader } from '@peerd/protocol';
import type { Logger } from '@peerd/service';
import { type IndexRow, keyOf, type ReceiptIndex } from './index-store.ts';
import type { ReceiptLogFile } from './log-file.ts';

/** Where the next entry goes, and what it follows. */
export interface LogEnd {
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly offset: number;
}

const startOfLog: LogEnd = { seq: 0, hash: firstReceiptLink, offset: receiptLogHeader.length };
const endOf = ({ seq, hash, offset, bytes }: IndexRow): LogEnd => ({ seq, hash, offset: offset + bytes });

export const recoverLog = async (file: ReceiptLogFile, index: ReceiptIndex, logger: Logger): Promise<LogEnd> => {
  const head = await index.head();
  const size = await file.size();
  let end = head ? endOf(head) : startOfLog;
  if (!(await isIntact(file, head))) {
    logger.error({ seq: end.seq }, 'THE LOG OF RECEIPTS WAS CHANGED from outside: its newest entry is not in its place. `peerctl receipts verify` tells what is wrong');
    return { ...end, offset: Math.max(end.offset, size) };
  }
  for await (const { offset, entry } of file.entries(end.offset, size)) {
    if (entry.kind !== 'entry' || entry.record.seq !== end.seq + 1 || Buffer.compare(entry.record.previous, end.hash) !== 0) break;
    const { seq, role, body } = entry.record;
    const receipt = bodyOf(body);
    if (!receipt) break;
    const row = { seq, offset, bytes: entry.bytes, hash: entry.hash, ...keyOf(role, receipt) };
    await index.insert(row);
    end = endOf(row);
    logger.warn({ seq, transfer: row.transfer }, 'a receipt was written just before the daemon ended: it is taken over');
  }
  const left = size - end.offset;
  if (left <= 0) return end;
  if (left > receiptEntryMaxBytes) {
    logger.error({ seq: end.seq, bytes: left }, 'THE LOG OF RECEIPTS WAS CHANGED from outside: something else stands behind its newest entry. `peerctl receipts verify` tells what');
    return { ...end, offset: size };
  }
  await file.cut(end.offset);
  logger.warn({ seq: end.seq + 1, bytes: left }, 'a receipt was being written when the daemon ended: it was never reported, and what there is of it is removed');
  return end;
};

const bodyOf = (bytes: Uint8Array): ReceiptBody | undefined => {
  try {
    return decodeReceiptBody(bytes);
  } catch {
    return undefined;
  }
};

const isIntact = async (file: ReceiptLogFile, head: IndexRow | undefined): Promise<boolean> => {
  if (!(await file.hasHeader())) return false;
  if (!head) return true;
  const entry = await file.entryAt(head.offset);
  return entry.kind === 'entry' && entry.hash.equals(head.hash);
};
