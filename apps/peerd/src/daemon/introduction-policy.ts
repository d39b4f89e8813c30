/** Whose introductions are acknowledged. To be introduced is not consent: content waits for a decision of its own. */
import { escapeText, type RosterEntry } from '@peerd/protocol';
import type { Logger } from '@peerd/service';
import type { Contacts } from '../contacts/ports.ts';

export const introductionPolicy =
  (policy: 'all' | 'contacts', contacts: Pick<Contacts, 'get'>, logger: Logger): ((from: RosterEntry) => Promise<boolean>) =>
  async (from) => {
    const admitted = policy === 'all' || contacts.get(from.id) !== undefined;
    logger.info({ peer: from.id, name: escapeText(from.name), admitted }, 'introduction');
    return admitted;
  };
