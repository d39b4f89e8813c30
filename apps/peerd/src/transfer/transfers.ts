/**
 * The transfer service: what is sent from here and what comes here, over the links, through restarts.
 *
 * 1. load: what is not over comes back from the database; start: it goes on
 * 2. linkUp, message, dataOpened, linkDown: each transfer of the peer hears of it
 * 3. send, accept, reject, hold, cancel: a person's acts; list, show, inbox: what a person sees
 */
import { rm } from 'node:fs/promises';
import {
  type AcceptRequest, defaultChunkSize, type DryRunResponse, type HistoryQuery, type HistoryResponse, type InboxOffer, isFinalState, isSettled, type LinkMessage, PeerdError, type PeerId,
  type RejectRequest, type SendRequest, type SendResponse, shortPeerId, shownState, type ShowQuery, type TransferActionResponse, type TransferDetail, type TransferId,
  type TransferState, type TransferSummary, type WhyResponse,
} from '@peerd/protocol';
import { Pacer } from '@peerd/transfer';
import type { DataConnection, Link, LinkUser } from '../peer/ports.ts';
import { acceptOffer, cancelTransfer, type Decider, holdTransfer, prospectOf, rejectOffer } from './decisions.ts';
import { Answers } from './dry-run/answers.ts';
import { dryRun } from './dry-run/dry-run.ts';
import { Questions } from './dry-run/questions.ts';
import type { TransferEnvironment } from './environment.ts';
import { GrantSettlement } from './grant-settlement.ts';
import { showHistory } from './history.ts';
import { showInbox } from './inbox.ts';
import { IncomingTransfer } from './incoming.ts';
import { Lanes } from './lanes.ts';
import { questionsDirectory, removeOrphans } from './layout.ts';
import { findTransfer } from './lookup.ts';
import { OutgoingTransfer } from './outgoing.ts';
import type { TransferOptions, Transfers } from './ports.ts';
import { PolicyDesk } from './policy-desk.ts';
import { Posts } from './posts.ts';
import type { TransferRecord } from './record.ts';
import { Reception } from './reception.ts';
import { type LiveTransfer, Registry } from './registry.ts';
import { Sends } from './sends.ts';
import { showTransfer } from './show.ts';
import { TransferStore } from './store.ts';
import { upkeep, upkeepIntervalMs } from './upkeep.ts';
import { summaryOf } from './view.ts';
import { explain } from './why.ts';

/** Content flows of the sender; those that wait are `accepted`. */
const contentLimits = { quick: { total: 8, perPeer: 4 }, other: { total: 8, perPeer: 4 } };
/** Journals that are checked: it reads as fast as the disk can. */
const checkLimits = { quick: { total: 4, perPeer: 2 }, other: { total: 2, perPeer: 2 } };
const maxListed = 1_000;

/** The service, and what its owner does with it. */
export interface TransferService extends Transfers, LinkUser {
  /** Goes on with what is not over. Links are asked for from now on. */
  start(): Promise<void>;
  /** How many transfers of a direction are not over; of one state if it is given. */
  unfinished(direction: TransferRecord['direction'], state?: TransferState): number;
  /** Ends every task; what is not over goes on after the next start. */
  stop(): Promise<void>;
}

export const createTransfers = async (options: TransferOptions): Promise<TransferService> => {
  const store = new TransferStore(options.database);
  await rm(questionsDirectory(options.settings.stateDir), { recursive: true, force: true });
  await removeOrphans(options.settings.stateDir, await store.keys());
  const open = await store.open();
  for (const record of open) if (record.direction === 'send' && !isFinalState(record.state)) options.spool.hold(record);
  await options.spool.sweep();
  return new StoredTransfers(options, store, open);
};

class StoredTransfers implements TransferService {
  readonly #options: TransferOptions;
  readonly #environment: TransferEnvironment;
  readonly #decider: Decider;
  readonly #desk: PolicyDesk;
  readonly #registry: Registry;
  readonly #settlement: GrantSettlement;
  readonly #reception: Reception;
  readonly #sends: Sends;
  readonly #links = new Map<PeerId, Link>();
  readonly #stopping = new AbortController();
  /** What we ask receivers, and what senders ask us, without sending anything. */
  readonly #questions = new Questions();
  readonly #answers: Answers;
  #upkeep: NodeJS.Timeout | undefined;

  constructor(options: TransferOptions, store: TransferStore, open: readonly TransferRecord[]) {
    const { settings, identity, receipts, events, metrics, logger, spool, contacts, policies, now, onReceived = () => {} } = options;
    this.#options = options;
    this.#environment = {
      store, settings, identity, spool, receipts, events, metrics, logger, now, onReceived,
      posts: new Posts(),
      contentSlots: new Lanes(contentLimits),
      pacer: settings.limitRate === undefined ? undefined : new Pacer(settings.limitRate),
      checkSlots: new Lanes(checkLimits),
      nameOf: (record) => contacts.get(record.peer)?.name ?? record.peerName,
    };
    this.#decider = { environment: this.#environment, contacts, policies };
    this.#desk = new PolicyDesk(this.#decider);
    this.#registry = new Registry(options.links);
    this.#settlement = new GrantSettlement({ policies, registry: this.#registry, store, logger });
    this.#answers = new Answers({
      directory: questionsDirectory(settings.stateDir), downloadDir: settings.downloadDir, posts: this.#environment.posts,
      judge: (link, offer) => prospectOf(this.#decider, link, offer),
      pacing: options.pacing,
    });
    this.#reception = new Reception({
      environment: this.#environment, registry: this.#registry, contacts, pacing: options.pacing,
      questions: async (link, message) => this.#questions.message(link, message) || this.#answers.message(link, message),
      outgoing: (record) => this.#outgoing(record), incoming: (record, fresh) => this.#incoming(record, fresh),
    });
    this.#sends = new Sends({
      environment: this.#environment, contacts, registry: this.#registry, unfinished: () => this.unfinished('send'), outgoing: (record) => this.#outgoing(record),
      linkTo: (peer) => this.#links.get(peer), hear: (transfer, heard) => this.#hear(transfer, heard),
    });
    for (const record of open) {
      if (record.direction === 'send') this.#registry.addOutgoing(this.#outgoing(record));
      else this.#registry.addIncoming(this.#incoming(record, false));
    }
  }

  async start(): Promise<void> {
    await this.#settlement.restart();
    for (const transfer of this.#registry.all()) {
      this.#registry.update(transfer);
      if (transfer instanceof IncomingTransfer) await transfer.restart();
    }
    const run = (): void => {
      upkeep(this.#environment, this.#registry).catch((error: unknown) => this.#options.logger.error({ err: error }, 'transfer: upkeep failed'));
    };
    this.#upkeep = setInterval(run, upkeepIntervalMs);
    this.#upkeep.unref();
    run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new PeerdError('shutting_down', 'the daemon is stopping'));
    clearInterval(this.#upkeep);
    await this.#answers.close();
    await this.#registry.close();
  }

  linkUp(link: Link): void {
    this.#links.set(link.peer, link);
    this.#announce(link).catch((error: unknown) => this.#options.logger.error({ err: error, peer: link.peer }, 'transfer: a link cannot be used'));
  }

  linkDown(link: Link): void {
    if (this.#links.get(link.peer) === link) this.#links.delete(link.peer);
    this.#answers.linkDown(link);
    for (const transfer of this.#registry.ofPeer(link.peer)) this.#hear(transfer, transfer.unlinked(link));
  }

  message(link: Link, message: LinkMessage): Promise<void> {
    return this.#reception.message(link, message);
  }

  expectsData(peer: PeerId, transfer: TransferId): boolean {
    return this.#registry.incoming(peer, transfer)?.expectsData() ?? false;
  }

  dataRound(peer: PeerId, transfer: TransferId): number | undefined {
    return this.#registry.incoming(peer, transfer)?.state.round;
  }

  dataOpened(link: Link, transfer: TransferId, connection: DataConnection): void {
    const incoming = this.#registry.incoming(link.peer, transfer);
    if (incoming) incoming.dataOpened(link, connection);
    else connection.destroy(new PeerdError('unexpected_message', 'there is no such transfer'));
  }

  hasUnfinishedTransfer(peer: PeerId): boolean {
    return this.#registry.ofPeer(peer).some((transfer) => !isSettled(transfer.state));
  }

  counts(): { active: number; waiting: number; inbox: number } {
    const counts = { active: 0, waiting: 0, inbox: 0 };
    for (const { record } of this.#registry.all()) {
      if (isFinalState(record.state)) continue;
      if (record.direction === 'receive' && record.state === 'offered') counts.inbox += 1;
      else if (shownState(record) === 'paused') counts.waiting += 1;
      else if (record.state === 'accepted' || record.state === 'transferring' || record.state === 'verifying') counts.active += 1;
      else counts.waiting += 1;
    }
    return counts;
  }

  unfinished(direction: TransferRecord['direction'], state?: TransferState): number {
    return this.#registry.all().filter(({ record }) => record.direction === direction && !isFinalState(record.state) && (state === undefined || shownState(record) === state)).length;
  }

  async send(request: SendRequest, signal: AbortSignal): Promise<SendResponse> {
    this.#stopping.signal.throwIfAborted();
    return this.#sends.send(request, signal);
  }

  async dryRun(request: SendRequest, signal: AbortSignal): Promise<DryRunResponse> {
    this.#stopping.signal.throwIfAborted();
    const { contacts, links, isOnline, settings } = this.#options;
    const directory = questionsDirectory(settings.stateDir);
    return dryRun({ contacts, links: links(), isOnline, questions: this.#questions, chunkSize: settings.chunkSize ?? defaultChunkSize, directory }, request, AbortSignal.any([signal, this.#stopping.signal]));
  }

  async list(): Promise<TransferSummary[]> {
    return (await this.#environment.store.latest(maxListed)).map((record) => this.#summary(this.#current(record)));
  }

  async show(id: string, query: ShowQuery): Promise<TransferDetail> {
    const record = this.#current(await findTransfer(this.#environment.store, id));
    const { store, settings } = this.#environment;
    const stages = this.#registry.live(record)?.stages ?? record.stages;
    const { contacts, settings: { downloadDir } } = this.#options;
    const trust = contacts.trustOf(record.peer, record.peerName);
    return showTransfer({ record, stages, name: this.#environment.nameOf(record), store, stateDir: settings.stateDir, downloadDir, trust, signal: this.#stopping.signal }, query);
  }

  async why(id: string): Promise<WhyResponse> {
    const record = this.#current(await findTransfer(this.#environment.store, id));
    const { id: transfer, direction, peer, state, bytes, bytesDone } = this.#summary(record);
    const stages = this.#registry.live(record)?.stages ?? record.stages;
    const name = peer.name === '' ? shortPeerId(peer.id) : peer.name;
    return { id: transfer, direction, peer, state, bytes, bytesDone, ...explain({ ...record, peer: name, stages, now: this.#environment.now(), linked: this.#links.has(record.peer), idleDays: record.idleness.days }) };
  }

  history(query: HistoryQuery): Promise<HistoryResponse> {
    const { store, nameOf } = this.#environment;
    return showHistory({ store, contacts: this.#options.contacts.all(), nameOf }, query);
  }

  async hold(id: string, paused: boolean): Promise<TransferActionResponse> {
    const record = await this.#findUnfinished(id);
    return holdTransfer(this.#environment, record, this.#registry.live(record), paused);
  }

  async cancel(id: string): Promise<TransferActionResponse> {
    const record = await this.#findUnfinished(id);
    return cancelTransfer(this.#environment, record, this.#registry.live(record));
  }

  inbox(): Promise<InboxOffer[]> {
    const sources = { environment: this.#environment, contacts: this.#options.contacts, why: (record: TransferRecord) => this.#desk.whyAsked(record), signal: this.#stopping.signal };
    return showInbox(sources, this.#registry.allIncoming().map(({ record }) => record));
  }

  async turnAway(peer: PeerId): Promise<number> {
    const offers = this.#registry.allIncoming().filter(({ record }) => record.peer === peer && (record.state === 'queued' || record.state === 'offered'));
    await Promise.all(offers.map((transfer) => (transfer.record.state === 'offered' ? transfer.reject('the receiver does not want it') : transfer.cancel())));
    return this.unfinishedWith(peer).length;
  }

  unfinishedWith(peer: PeerId): TransferSummary[] {
    return this.#registry.ofPeer(peer).filter(({ record }) => !isFinalState(record.state)).map(({ record }) => this.#summary(record));
  }

  async accept(id: string, request: AcceptRequest): Promise<TransferActionResponse> {
    const record = await this.#findOffer(id);
    return acceptOffer(this.#decider, record, this.#registry.incoming(record.peer, record.id), request);
  }

  async reject(id: string, { reason }: RejectRequest): Promise<TransferActionResponse> {
    const record = await this.#findOffer(id);
    return rejectOffer(this.#environment, record, this.#registry.incoming(record.peer, record.id), reason);
  }

  /** Receivers hear of the link at once; offers are made as fast as the link takes them. */
  async #announce(link: Link): Promise<void> {
    const transfers = this.#registry.ofPeer(link.peer);
    const receiving = transfers.filter((transfer) => transfer instanceof IncomingTransfer);
    for (const transfer of receiving) this.#hear(transfer, transfer.linked(link));
    for (const transfer of transfers) {
      if (transfer instanceof IncomingTransfer) continue;
      if (link.signal.aborted || this.#links.get(link.peer) !== link) return;
      const heard = transfer.linked(link);
      this.#hear(transfer, heard);
      await heard.catch(() => {});
      await this.#environment.posts.room(link);
    }
  }

  #outgoing(record: TransferRecord): OutgoingTransfer {
    return new OutgoingTransfer(this.#environment, record, (transfer) => {
      this.#registry.update(transfer);
      if (isFinalState(record.state)) this.#environment.spool.release(record);
    });
  }

  #incoming(record: TransferRecord, fresh: boolean): IncomingTransfer {
    return new IncomingTransfer(this.#environment, record, { taken: (transfer) => this.#taken(transfer), offered: (transfer) => this.#desk.offered(transfer) }, fresh);
  }

  #taken(transfer: IncomingTransfer): void {
    this.#registry.update(transfer);
    this.#settlement.taken(transfer.record);
  }

  /** One that is not over, if the beginning of an id fits several. */
  async #findUnfinished(id: string): Promise<TransferRecord> {
    return this.#current(await findTransfer(this.#environment.store, id, undefined, ({ state }) => !isFinalState(state)));
  }

  async #findOffer(id: string): Promise<TransferRecord> {
    return this.#current(await findTransfer(this.#environment.store, id, 'receive', ({ state }) => state === 'offered'));
  }

  #hear(transfer: LiveTransfer, heard: Promise<void>): void {
    heard.catch((error: unknown) => this.#options.logger.error({ err: error, peer: transfer.record.peer, transfer: transfer.record.id }, 'transfer: a step could not be taken'));
  }

  /** The one that is at work knows more than its row. */
  #current(record: TransferRecord): TransferRecord {
    return this.#registry.live(record)?.record ?? record;
  }

  #summary(record: TransferRecord): TransferSummary {
    return summaryOf(record, this.#environment.nameOf(record));
  }
}
