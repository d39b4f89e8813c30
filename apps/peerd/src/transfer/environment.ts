/** What the parts of the transfer service share. Built once, in transfers.ts. */
import type { Identity, Logger } from '@peerd/service';
import type { Pacer } from '@peerd/transfer';
import type { EventSink } from '../control/ports.ts';
import type { ReceiptLog } from '../receipts/ports.ts';
import type { SpooledSources } from '../spool/ports.ts';
import type { Lanes } from './lanes.ts';
import type { TransferMetrics } from './metrics.ts';
import type { TransferSettings } from './ports.ts';
import type { Posts } from './posts.ts';
import type { TransferRecord } from './record.ts';
import type { TransferStore } from './store.ts';

export interface TransferEnvironment {
  readonly store: TransferStore;
  readonly settings: TransferSettings;
  readonly identity: Pick<Identity, 'id' | 'publicKey' | 'sign'>;
  readonly spool: SpooledSources;
  readonly receipts: Pick<ReceiptLog, 'append' | 'find'>;
  readonly events: EventSink;
  readonly metrics: TransferMetrics;
  readonly logger: Logger;
  readonly posts: Posts;
  /** Content flows of the sender. */
  readonly contentSlots: Lanes;
  /** The rate limit of the daemon, over all that is sent. */
  readonly pacer: Pacer | undefined;
  /** Journals that are read and hashed. */
  readonly checkSlots: Lanes;
  /** The name under which a person knows the peer: raw. */
  readonly nameOf: (record: TransferRecord) => string;
  /** Something was delivered here, all of it or in part; it is over. */
  readonly onReceived: (record: TransferRecord) => void;
  readonly now: () => number;
}
