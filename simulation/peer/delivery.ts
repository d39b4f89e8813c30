/**
 * The receiver's end of a transfer, as apps/peerd/src/transfer/delivery.ts and packages/transfer/src/receiver/place.ts have
 * it: everything complete and flushed, the final name journalled, renamed, the directory flushed, then the receipt. Repeatable
 * after a crash at any point.
 */
import type { TransferEnd } from '@peerd/protocol';
import type { Process } from '../world/machine.ts';
import type { ReceivedFiles } from './received-files.ts';

type Outcome = { readonly kind: 'delivered' } | { readonly kind: 'gaps' | 'failed'; readonly end: TransferEnd };

export interface Delivery {
  readonly process: Process;
  readonly transfer: string;
  readonly files: ReceivedFiles;
  readonly chunks: number;
  /** The transfer has ended meanwhile: nothing more is done, and nobody is told. */
  readonly givenUp: () => boolean;
  readonly done: (outcome: Outcome) => void;
}

type Next = (error: TransferEnd | undefined) => void;

export const deliver = ({ process, transfer, files, chunks, givenUp, done }: Delivery): void => {
  const { disk, ledger, random } = process.machine;
  const failed = (end: TransferEnd): void => done({ kind: 'failed', end });
  /** Goes on unless the step failed or the transfer is over. */
  const then = (next: () => void): Next => (error) => {
    if (givenUp()) return;
    if (error) failed(error);
    else next();
  };
  const prove = (): void => disk.commit(process, () => disk.receipts.add(`received ${transfer}`), then(() => done({ kind: 'delivered' })));
  const conclude = (): void => {
    const final = disk.finals.find((candidate) => candidate.transfer === transfer);
    ledger.check(final !== undefined, 'a receipt exists exactly when the data does', () => `${transfer} at ${process.machine.name}: nothing stands there`);
    if (final) final.flushed = true;
    prove();
  };
  const rename = (name: string): void => {
    if (!disk.finals.some((final) => final.transfer === transfer)) {
      const staging = disk.stagingOf(transfer, chunks);
      disk.staging.delete(transfer);
      disk.finals.push({ transfer, name, staging, flushed: false });
      process.log(() => `${transfer} stands as ${name}`);
      disk.checkFinals();
    }
    disk.work(process, 10, then(conclude));
  };
  const place = (): void => {
    const intended = disk.intended.get(transfer);
    if (intended !== undefined) return rename(intended);
    const taken = disk.finals.filter(({ name }) => name.startsWith('file')).length;
    const name = `file (${taken}-${random.below(1_000)})`;
    disk.commit(process, () => disk.intended.set(transfer, name), then(() => rename(name)));
  };
  if (files.sealed) return place();
  files.complete((outcome) => {
    if (outcome === 'missing') {
      if (!givenUp()) done({ kind: 'gaps', end: { code: 'integrity', message: 'chunks are missing' } });
    } else then(place)(outcome);
  });
};
