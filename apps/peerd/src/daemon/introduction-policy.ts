/** Whose introductions are acknowledged. To be introduced is not consent: content waits for a decision of its own. */
import { escapeText } from '@peerd/protocol';
import type { Logger } from '@peerd/service';
import type { Contacts } from '../contacts/ports.ts';
import type { IntroductionHandler } from '../rendezvous/ports.ts';

export const introductionPolicy =
  (policy: 'all' | 'contacts', contacts: Pick<Contacts, 'get'>, logger: Logger): IntroductionHandler =>
  async (from) => {
    const verdict = policy === 'all' || contacts.get(from.id) !== undefined ? 'accepted' : 'refused';
    logger.info({ peer: from.id, name: escapeText(from.name), verdict }, 'introduction');
    return verdict;
  };
