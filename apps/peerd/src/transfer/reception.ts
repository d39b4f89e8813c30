/** Messages of a link find their transfer: one that is at work, one that is over, or a new one. */
import { cancel, encodeMessage, type LinkMessage, type Offer, PeerdError, type PeerId, reject, type TransferId, type TransferMessage } from '@peerd/protocol';
import type { Rate } from '@peerd/service';
import type { Pacing } from '../net/pacing.ts';
import type { ReadPace } from '../net/read-pace.ts';
import type { Contacts } from '../contacts/ports.ts';
import type { Link } from '../peer/ports.ts';
import { checkBounds, checkRoom, isSameOffer, newIncoming } from './admission.ts';
import { clipped, endOf } from './ends.ts';
import type { TransferEnvironment } from './environment.ts';
import type { IncomingTransfer } from './incoming.ts';
import type { OutgoingTransfer } from './outgoing.ts';
import type { TransferRecord } from './record.ts';
import type { Registry } from './registry.ts';

export interface ReceptionOptions {
  readonly environment: TransferEnvironment;
  readonly registry: Registry;
  readonly contacts: Pick<Contacts, 'get'>;
  readonly pacing: Pick<Pacing, 'pace'>;
  /** Messages of questions, which are no transfers: whether it was one. */
  readonly questions: (link: Link, message: TransferMessage) => Promise<boolean>;
  readonly outgoing: (record: TransferRecord) => OutgoingTransfer;
  /** @param fresh made by an offer just now */
  readonly incoming: (record: TransferRecord, fresh: boolean) => IncomingTransfer;
}

const unknownTransfer = 'unknown transfer';

const isTransferMessage = (message: LinkMessage): message is TransferMessage => 'body' in message && 'transfer' in message.body;

/** New offers of a peer that is no contact: each leaves a row, so a flood is read as slowly as it may be stored. */
const strangerRate: Rate = { burst: 64, perSecond: 2 };
/**
 * Messages of a link that change nothing, or that change the same again: of transfers that are not known, pages that nobody waits
 * for, offers that are known or that there is no room for, pauses. Each costs a look at the disk or a row. On a new link each unfinished transfer is offered again.
 */
const idleRate: Rate = { burst: 1_000, perSecond: 100 };

export class Reception {
  readonly #options: ReceptionOptions;
  readonly #offers: ReadPace;
  readonly #idle: ReadPace;

  constructor(options: ReceptionOptions) {
    this.#options = options;
    this.#offers = options.pacing.pace('offers', strangerRate);
    this.#idle = options.pacing.pace('idle', idleRate);
  }

  /** @throws PeerdError to end the link */
  async message(link: Link, message: LinkMessage): Promise<void> {
    if (isTransferMessage(message) && (await this.#options.questions(link, message))) return;
    switch (message.kind) {
      case 'manifest-request':
      case 'offered':
      case 'accept':
      case 'have':
      case 'progress':
      case 'reject':
      case 'receipt':
        this.#environment.posts.check(link);
        return this.#toOutgoing(link, message);
      case 'offer':
        this.#environment.posts.check(link);
        return this.#offered(link, message.body);
      case 'manifest-page':
      case 'entry-failed':
      case 'source-complete':
      case 'receipt-ack':
        this.#environment.posts.check(link);
        return this.#toIncoming(link, message);
      case 'pause':
      case 'pause-ack':
        this.#environment.posts.check(link);
        return this.#either(link, message);
      case 'cancel':
      case 'failed':
        this.#environment.posts.check(link);
        return this.#ended(link, message);
      default:
    }
  }

  get #environment(): TransferEnvironment {
    return this.#options.environment;
  }

  async #toOutgoing(link: Link, message: TransferMessage): Promise<void> {
    const transfer = await this.#findOutgoing(link.peer, message.body.transfer);
    if (transfer) return transfer.message(link, message);
    await this.#idle.turn(link);
    // The receiver waits for something that is not known here any more.
    if (message.kind === 'manifest-request' || message.kind === 'offered' || message.kind === 'accept') this.#unknown(link, message.body.transfer);
  }

  async #toIncoming(link: Link, message: TransferMessage): Promise<void> {
    const transfer = await this.#findIncoming(link.peer, message.body.transfer);
    if (!transfer || (message.kind === 'manifest-page' && !transfer.awaitsPages)) await this.#idle.turn(link);
    await transfer?.message(link, message);
  }

  /** What both sides say of an unfinished transfer. Of one that is not known, nothing is held. */
  async #either(link: Link, message: TransferMessage): Promise<void> {
    await this.#idle.turn(link);
    await (await this.#find(link.peer, message.body.transfer))?.message(link, message);
  }

  async #ended(link: Link, message: TransferMessage): Promise<void> {
    const { transfer: id } = message.body;
    const transfer = await this.#find(link.peer, id);
    if (transfer) return transfer.message(link, message);
    await this.#idle.turn(link);
    // Whatever it was, it is over here too. Said once: two that know nothing of it would tell each other for ever.
    if (message.kind !== 'cancel' || message.body.message !== unknownTransfer) this.#unknown(link, id);
  }

  #unknown(link: Link, transfer: TransferId): void {
    this.#environment.posts.post(link, encodeMessage(cancel, { transfer, message: unknownTransfer }));
  }

  async #offered(link: Link, offer: Offer): Promise<void> {
    const { store, now } = this.#environment;
    const { registry, contacts, incoming } = this.#options;
    try {
      checkBounds(offer);
    } catch (error) {
      // Before the database is asked. A contact that does not read the answers is dropped (`posts.check`).
      await this.#paceStranger(link);
      return this.#refuse(link, offer, error);
    }
    const [known, isOurs] = await Promise.all([this.#findIncoming(link.peer, offer.transfer), store.exists('send', offer.transfer)]);
    if (known) await this.#idle.turn(link);
    if (known && !isSameOffer(known.record, offer)) return this.#refuse(link, offer, new PeerdError('manifest_invalid', 'this transfer id stands for another offer already'));
    if (known) return known.message(link, { kind: 'offer', body: offer });
    await this.#paceStranger(link);
    try {
      if (isOurs) throw new PeerdError('manifest_invalid', 'this transfer id is one of ours');
      checkRoom(link, { incoming: registry.allIncoming().map(({ record }) => record), isContact: (peer) => contacts.get(peer) !== undefined });
    } catch (error) {
      await this.#idle.turn(link);
      return this.#refuse(link, offer, error);
    }
    const record = newIncoming(link, offer, now());
    const transfer = incoming(record, true);
    await store.insert([record]);
    registry.addIncoming(transfer);
    await transfer.message(link, { kind: 'offer', body: offer });
  }

  async #paceStranger(link: Link): Promise<void> {
    if (!this.#options.contacts.get(link.peer)) await this.#offers.turn(link);
  }

  #refuse(link: Link, { transfer }: Offer, error: unknown): void {
    const { code, message } = endOf(error);
    this.#environment.metrics.offerRefused(error instanceof PeerdError ? error.code : 'internal');
    this.#environment.logger.warn({ peer: link.peer, transfer, code }, 'transfer: an offer was refused');
    this.#environment.posts.post(link, encodeMessage(reject, { transfer, code, message: clipped(message) }));
  }

  async #find(peer: PeerId, id: TransferId): Promise<OutgoingTransfer | IncomingTransfer | undefined> {
    return (await this.#findOutgoing(peer, id)) ?? (await this.#findIncoming(peer, id));
  }

  /** One that is over answers what comes for it, and is dropped again. */
  async #findOutgoing(peer: PeerId, id: TransferId): Promise<OutgoingTransfer | undefined> {
    const { registry, outgoing } = this.#options;
    const live = registry.outgoing(peer, id);
    if (live) return live;
    const record = await this.#environment.store.get({ direction: 'send', peer, id });
    return registry.outgoing(peer, id) ?? (record && outgoing(record));
  }

  async #findIncoming(peer: PeerId, id: TransferId): Promise<IncomingTransfer | undefined> {
    const { registry, incoming } = this.#options;
    const live = registry.incoming(peer, id);
    if (live) return live;
    const record = await this.#environment.store.get({ direction: 'receive', peer, id });
    return registry.incoming(peer, id) ?? (record && incoming(record, false));
  }
}
