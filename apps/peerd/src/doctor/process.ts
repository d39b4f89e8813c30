/** The process: its settings as they stand now, its limits, what it was told to accept. */
import { readFile } from 'node:fs/promises';
import { type DoctorCheck, escapeText, PeerdError } from '@peerd/protocol';
import { fail, ok, warn } from './check.ts';

/** Each link, transfer and client of the API has some; a transfer of a large tree has dozens. */
const enoughFiles = 1_024;
/** Of strangers 64 are kept. */
const manyOffers = 48;

/** @param changed whether the settings would be others now @throws what reading them throws is judged, not thrown */
export const checkSettings = (changed: () => boolean): DoctorCheck => {
  try {
    return changed() ? warn('settings', 'the settings were changed since peerd started', 'Start peerd again to use them.') : ok('settings', 'as peerd read them at its start');
  } catch (error) {
    if (!(error instanceof PeerdError)) throw error;
    return fail('settings', `peerd could not start again: ${escapeText(error.message)}`, error.hint === undefined ? 'Mend it before the next start.' : escapeText(error.hint));
  }
};

export const checkOpenFiles = async (): Promise<DoctorCheck> => {
  const limit = /^Max open files\s+(\d+|unlimited)/m.exec(await readFile('/proc/self/limits', 'utf8'))?.[1] ?? 'unlimited';
  return limit !== 'unlimited' && Number(limit) < enoughFiles
    ? warn('open-files', `peerd may open ${limit} files and connections at once`, 'Raise it: LimitNOFILE=65536 in the unit, or `ulimit -n 65536` in the shell that starts it.')
    : ok('open-files', `up to ${limit} files and connections at once`);
};

export const checkConsent = (accept: 'ask' | 'auto'): DoctorCheck =>
  accept === 'auto'
    ? warn('consent', 'accept = "auto": every peer of the room may write to the download directory, strangers too', 'Start peerd with --accept ask, and let single peers in with `peerctl policy`.')
    : ok('consent', 'a person decides about offers');

export const checkInbox = (offers: number): DoctorCheck =>
  offers >= manyOffers
    ? warn('inbox', `${offers} offers wait for a decision; of strangers at most 64 are kept, further ones are refused`, 'Look through them: `peerctl inbox`, then accept or reject.')
    : ok('inbox', `${offers} ${offers === 1 ? 'offer waits' : 'offers wait'} for a decision`);
