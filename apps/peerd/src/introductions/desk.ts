/** Who is introduced to us: by the setting, or by a person. To be introduced is not consent: content waits for a decision of its own. */
import { escapeText, type InboxIntroduction, type IntroductionActionResponse, PeerdError, type RosterEntry, shortPeerId } from '@peerd/protocol';
import type { Logger } from '@peerd/service';
import type { Contacts } from '../contacts/ports.ts';
import type { EventSink } from '../control/ports.ts';
import type { Links } from '../peer/ports.ts';
import type { IntroductionVerdict } from '../rendezvous/ports.ts';
import type { IntroductionRequest, IntroductionRequests } from './requests.ts';

export interface DeskOptions {
  readonly policy: 'all' | 'contacts' | 'ask';
  readonly requests: IntroductionRequests;
  readonly contacts: Pick<Contacts, 'get' | 'pin' | 'trustOf'>;
  readonly links: () => Pick<Links, 'connect'>;
  readonly events: EventSink;
  readonly logger: Logger;
}

/** How long the link is tried for that an accepted introduction brings up. The peer goes on trying by itself. */
const connectMs = 30_000;

export class IntroductionDesk {
  readonly #options: DeskOptions;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  /** Somebody asks for a link with us. */
  async admit(from: Pick<RosterEntry, 'id' | 'name'>): Promise<IntroductionVerdict> {
    const verdict = await this.#verdictOn(from);
    this.#options.logger.info({ peer: from.id, name: escapeText(from.name), verdict }, 'introduction');
    return verdict;
  }

  inbox(): InboxIntroduction[] {
    return this.#options.requests.waiting().map((request) => this.#view(request));
  }

  /** One's own act: the peer becomes a contact. Answers at once, the link follows. @throws PeerdError `trust_changed`, `blocked` */
  async accept(request: IntroductionRequest): Promise<IntroductionActionResponse> {
    const { contacts, requests, links, logger } = this.#options;
    const introduction = this.#view(request);
    if (introduction.trust === 'changed')
      throw new PeerdError('trust_changed', `${shortPeerId(request.peer)} calls itself ${introduction.from.name}, but your contact of that name has another key`, {
        hint: `Ask ${introduction.from.name} over another channel whether the key is theirs. Only then: peerctl trust ${request.peer}`,
      });
    await contacts.pin({ id: request.peer, name: request.name });
    await requests.forget(request.peer);
    links().connect(request.peer, AbortSignal.timeout(connectMs)).catch((error: unknown) => {
      logger.info({ peer: request.peer, err: error }, 'no link yet with a peer whose introduction was accepted');
    });
    return { introduction, state: 'accepted' };
  }

  async reject(request: IntroductionRequest): Promise<IntroductionActionResponse> {
    const introduction = this.#view(request);
    await this.#options.requests.decline(request);
    return { introduction, state: 'rejected' };
  }

  async #verdictOn(from: Pick<RosterEntry, 'id' | 'name'>): Promise<IntroductionVerdict> {
    const { policy, contacts, requests, events, logger } = this.#options;
    if (policy === 'all' || contacts.get(from.id)) return 'accepted';
    if (policy === 'contacts') return 'refused';
    const received = await requests.receive(from);
    const request = requests.get(from.id);
    if (received === 'added' && request) events.publish({ kind: 'introduction', id: request.id, from: this.#view(request).from });
    if (received === 'full') logger.warn({ peer: from.id }, 'an introduction was refused, since too many wait for a decision: see `peerctl inbox`');
    return received === 'added' || received === 'waiting' ? 'pending' : 'refused';
  }

  #view({ id, peer, name, receivedAt }: IntroductionRequest): InboxIntroduction {
    return { id, from: { id: peer, name: escapeText(name) }, trust: this.#options.contacts.trustOf(peer, name), receivedAt };
  }
}
