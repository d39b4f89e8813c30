/**
 * The receiver's end of a transfer: everything is checked, placed under its final names, and the receipt is signed.
 * Repeatable after a crash at any point.
 */
import { maxSavedAs, PeerdError, type ReceiptBody, type TransferEnd } from '@peerd/protocol';
import type { Manifest, Receiver } from '@peerd/transfer';
import { insist, type InsistOptions } from '../net/insist.ts';
import { endOf } from './ends.ts';
import type { TransferEnvironment } from './environment.ts';
import type { LiveRecord } from './live-record.ts';
import { isSameDelivery, type SignedReceipt, signReceipt } from './receipts.ts';
import type { TransferRecord } from './record.ts';

export type DeliveryOutcome =
  | { readonly kind: 'delivered'; readonly receipt: SignedReceipt; readonly savedAs: readonly Buffer[]; readonly skipped: number; readonly error: TransferEnd | undefined }
  /** Chunks are missing, or they are not the ones of the content root. */
  | { readonly kind: 'gaps'; readonly end: TransferEnd }
  /** Nothing was delivered. */
  | { readonly kind: 'failed'; readonly end: TransferEnd };

export const deliver = async (
  environment: TransferEnvironment, live: LiveRecord, { manifest, receiver, signal }: { manifest: Manifest; receiver: Receiver; signal: AbortSignal },
): Promise<DeliveryOutcome> => {
  const { record } = live;
  const { identity, settings, store, now } = environment;
  const { contentRoot } = record;
  if (!contentRoot) throw new PeerdError('internal', 'a transfer is to be delivered without a content root');
  try {
    // Sealed: an earlier run has checked everything, and some of it may stand under its final name.
    if (!receiver.sealed) await live.clock.time('write', () => receiver.complete(contentRoot));
  } catch (error) {
    if (error instanceof PeerdError && error.code === 'integrity') return { kind: 'gaps', end: endOf(error) };
    throw error;
  }
  // From here on something may stand under its final name: it is not left there without a receipt because of a disk that fails for a while.
  const insisting: InsistOptions = {
    signal, mayPass: (error) => receiver.sealed && isOfDisk(error), onFailure: (error) => live.logger.error({ err: error }, 'transfer: what has arrived cannot be delivered now'),
  };
  const placed = await insist(() => live.clock.time('write', () => receiver.place({ conflict: record.conflict, durability: settings.durability, log: store.placementLog(record), signal })), insisting);
  for (const [entry, { code, message }] of receiver.failures) live.addFailure({ entry, code, message });
  if (placed.delivered + placed.skipped === 0) return { kind: 'failed', end: commonEnd(receiver, placed.failed) };
  const body: ReceiptBody = {
    transfer: record.id, sender: record.peer, receiver: identity.id, offerRoot: record.offerRoot, contentRoot,
    receivedAt: now(), durability: settings.durability, delivered: placed.delivered, failed: placed.failed, ...(placed.skipped === 0 ? {} : { skipped: placed.skipped }),
  };
  const receipt = await insist(() => receiptOf(environment, record, body), insisting);
  const error = placed.failed === 0 ? undefined : { code: 'partial', message: `${placed.failed} of ${record.entries} entries could not be delivered; the others were` };
  return { kind: 'delivered', receipt, savedAs: await finalNames(manifest, new Map(placed.savedAs.map(({ entry, name }) => [entry, name]))), skipped: placed.skipped, error };
};

const isOfDisk = (error: unknown): boolean => ['no_space', 'io_error'].includes(endOf(error).code);

/** In the log when it resolves. One that an earlier run has put there, and told nobody of, is used. */
const receiptOf = async ({ identity, receipts }: TransferEnvironment, record: TransferRecord, body: ReceiptBody): Promise<SignedReceipt> => {
  const logged = (await receipts.find({ role: 'received', peer: record.peer, transfer: record.id }))?.content;
  if (logged && logged.body.receivedAt >= record.createdAt && isSameDelivery(logged.body, body)) return { body: Buffer.from(logged.record.body), signature: Buffer.from(logged.record.signature) };
  const signed = signReceipt(identity, body);
  await receipts.append({ role: 'received', ...signed, signer: identity.publicKey });
  return signed;
};

/** In manifest order, empty for an entry that failed or was skipped. */
const finalNames = async (manifest: Manifest, byEntry: ReadonlyMap<number, Buffer>): Promise<Buffer[]> => {
  const names: Buffer[] = [];
  for await (const { index } of manifest.topLevel()) {
    names.push(byEntry.get(index) ?? Buffer.alloc(0));
    if (names.length === maxSavedAs) break;
  }
  return names;
};

/** Of entries that all failed: what they failed of, when it is the same for all. */
const commonEnd = (receiver: Receiver, failed: number): TransferEnd => {
  const failures = [...receiver.failures.values()];
  const [first] = failures;
  if (first && failures.every(({ code }) => code === first.code)) return { code: first.code, message: failed === 1 ? first.message : `nothing could be delivered: ${first.message}` };
  return { code: 'partial', message: `none of the ${failed} entries could be delivered` };
};
