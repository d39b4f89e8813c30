/** What the transfer service needs, and what it offers to the control routes. */
import type {
  DryRunResponse, HistoryQuery, HistoryResponse, InboxOffer, PeerId, RejectRequest, AcceptRequest, SendRequest, SendResponse, ShowQuery, TransferActionResponse, TransferDetail, TransferSummary, WhyResponse,
} from '@peerd/protocol';
import type { Identity, Logger } from '@peerd/service';
import type { Policies } from '../contacts/policies.ts';
import type { Contacts } from '../contacts/ports.ts';
import type { EventSink } from '../control/ports.ts';
import type { Database } from '../database/ports.ts';
import type { Pacing } from '../net/pacing.ts';
import type { Links } from '../peer/ports.ts';
import type { ReceiptLog } from '../receipts/ports.ts';
import type { SpooledSources } from '../spool/ports.ts';
import type { TransferMetrics } from './metrics.ts';
import type { TransferRecord } from './record.ts';

export interface TransferSettings {
  readonly stateDir: string;
  readonly downloadDir: string;
  readonly durability: 'transfer' | 'none';
  /** Bytes per second, over all that is sent from here. */
  readonly limitRate?: number;
  /** Of what is sent from here. Default: that of the protocol. */
  readonly chunkSize?: number;
  /** Bytes after which a data connection is replaced. Default: that of the protocol. */
  readonly dataConnectionMaxBytes?: number;
}

export interface TransferOptions {
  readonly database: Database;
  readonly links: () => Pick<Links, 'need' | 'release' | 'get' | 'connect'>;
  /** On the roster of a rendezvous now. */
  readonly isOnline: (peer: PeerId) => boolean;
  readonly contacts: Pick<Contacts, 'all' | 'get' | 'choose' | 'pin' | 'trustOf'>;
  readonly policies: Pick<Policies, 'isBlocked' | 'judge' | 'reserve' | 'settle' | 'reservations'>;
  readonly identity: Pick<Identity, 'id' | 'publicKey' | 'sign'>;
  /** A transfer is done when its receipt is in it. */
  readonly receipts: Pick<ReceiptLog, 'append' | 'find'>;
  /** Where uploaded content waits to be sent. */
  readonly spool: SpooledSources;
  readonly events: EventSink;
  readonly logger: Logger;
  readonly metrics: TransferMetrics;
  readonly pacing: Pick<Pacing, 'pace'>;
  readonly settings: TransferSettings;
  /** Something was delivered here, all of it or in part; it is over. */
  readonly onReceived?: (record: TransferRecord) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What the control routes call. Ids are also unique prefixes. Every method throws PeerdError. */
export interface Transfers {
  /** Scans the sources, stores one transfer per peer and returns; the content follows by itself. */
  send(request: SendRequest, signal: AbortSignal): Promise<SendResponse>;
  /** What `send` would do, and what the receivers say of it. Nothing comes of it. */
  dryRun(request: SendRequest, signal: AbortSignal): Promise<DryRunResponse>;
  list(): Promise<TransferSummary[]>;
  show(id: string, query: ShowQuery): Promise<TransferDetail>;
  /** Where its time went, or goes. */
  why(id: string): Promise<WhyResponse>;
  /** What is over. */
  history(query: HistoryQuery): Promise<HistoryResponse>;
  /** Pauses it at this side, or ends that. It runs while neither side holds it. */
  hold(id: string, paused: boolean): Promise<TransferActionResponse>;
  cancel(id: string): Promise<TransferActionResponse>;
  inbox(): Promise<InboxOffer[]>;
  accept(id: string, request: AcceptRequest): Promise<TransferActionResponse>;
  reject(id: string, request: RejectRequest): Promise<TransferActionResponse>;
  /** Transfers that are not final: at work, waiting for a peer or a slot, waiting for our decision. */
  counts(): { active: number; waiting: number; inbox: number };
  /** The peer was blocked: its undecided offers are rejected. Resolves with the number of its transfers that are not over. */
  turnAway(peer: PeerId): Promise<number>;
  /** Transfers with the peer that are not over. */
  unfinishedWith(peer: PeerId): TransferSummary[];
  /** Whose inbound link is welcome although nobody introduced it. */
  hasUnfinishedTransfer(peer: PeerId): boolean;
}
