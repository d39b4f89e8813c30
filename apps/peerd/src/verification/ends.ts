/** The ends of a comparison in the words of an error. */
import { escapeText, PeerdError, type VerificationEnd } from '@peerd/protocol';

export const verifyTimeoutMs = 600_000;

export const verifyTimeout = (name: string): PeerdError =>
  new PeerdError('verify_timeout', `the codes were not compared with ${escapeText(name)} within ${verifyTimeoutMs / 60_000} minutes`, { hint: 'Agree on a moment, then both run `peerctl verify`.' });

const again = 'Nothing was changed. Compare the ids that `peerctl whoami` shows at both machines, over a channel on which you know each other, before you send anything that matters.';

/** @param name raw */
export const verificationError = (end: Exclude<VerificationEnd, 'verified'>, name: string): PeerdError => {
  const who = escapeText(name);
  switch (end) {
    case 'mismatch':
      return new PeerdError('verify_mismatch', `THE CODES ARE NOT THE SAME: one of you saw another code, so somebody may stand between you and ${who}, or you looked at different attempts.`, { hint: again });
    case 'broken':
      return new PeerdError('verify_broken', `THE OTHER SIDE CHEATED, OR IS DEFECT: what came from ${who} does not fit what it had committed to.`, { hint: again });
    case 'cancelled':
      return new PeerdError('cancelled', `the comparison with ${who} was given up`, { hint: 'Nothing was changed. Both run `peerctl verify` to begin anew.' });
    case 'timeout':
      return verifyTimeout(name);
    case 'lost':
      return new PeerdError('link_lost', `the link to ${who} ended while the codes were compared`, { hint: 'Nothing was changed. Both run `peerctl verify` to begin anew.' });
  }
};
