/** What others see of the spool: content that was uploaded to the daemon because it can't be read where it is. */
import type { Readable } from 'node:stream';
import type { TransferRecord } from '../transfer/record.ts';

/** For the transfers that send what is in the spool. */
export interface SpooledSources {
  /** Paths that can be scanned, one for each id. They stay at least for a while. @throws PeerdError `not_found` */
  sources(ids: readonly string[]): Promise<Buffer[]>;
  /** What the transfer reads stays until `release`. */
  hold(record: Pick<TransferRecord, 'id' | 'roots'>): void;
  /** What nobody holds any more is removed. Any number of times. */
  release(record: Pick<TransferRecord, 'id'>): void;
  /** After the start, when everything that is not over has been held: removes the rest. */
  sweep(): Promise<void>;
}

export interface Spooled {
  readonly id: string;
  readonly entries: number;
  readonly bytes: number;
}

/** For the routes. An upload that fails leaves nothing. */
export interface SpoolIntake {
  /** One file. @throws PeerdError `spool_full`, `invalid_argument`, `rate_limited`, the reason of `signal` */
  file(content: Readable, options: { name: Buffer; mode: number; signal: AbortSignal }): Promise<Spooled>;
  /** One file, directory or link with everything in it, as a tar archive. @throws as `file` */
  tree(archive: Readable, options: { signal: AbortSignal }): Promise<Spooled>;
  /** @returns whether it was there and nobody needs it */
  discard(id: string): Promise<boolean>;
}
