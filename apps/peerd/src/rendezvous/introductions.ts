/** Introductions that we asked one rendezvous for and that are not answered yet. */
import { type ErrorCode, encodeMessage, introduce, introductionTimeoutMs, type IntroductionResult, PeerdError, type PeerId, type RosterEntry, shortPeerId } from '@peerd/protocol';
import { orAborted, Scope } from '../net/scope.ts';

/** Requests without an answer that one rendezvous may owe us. */
const maxOpen = 64;
/** The rendezvous answers within `introductionTimeoutMs`; the way takes time too. */
const graceMs = 5_000;

const verdicts: Record<Exclude<IntroductionResult['verdict'], 'accepted'> | 'pending', { code: ErrorCode; text: string; hint: string }> = {
  refused: { code: 'introduction_refused', text: 'refused the introduction', hint: 'Ask the person there to accept introductions from you, or to trust your id (peerctl whoami shows it).' },
  pending: { code: 'introduction_pending', text: 'has not decided yet: a person there has to accept the introduction', hint: 'They see it with `peerctl inbox`. The link comes up when they accept; what is queued goes out then.' },
  timeout: { code: 'introduction_timeout', text: 'did not answer the introduction in time', hint: 'Try again; perhaps the machine is overloaded or has just gone away.' },
  unknown_peer: { code: 'no_such_peer', text: 'is not listed any more', hint: 'peerctl peers shows who is online.' },
  rate_limited: { code: 'rate_limited', text: 'was asked for too often', hint: 'Wait a minute.' },
};

export class OpenIntroductions {
  readonly #open = new Map<number, (result: IntroductionResult) => void>();
  #next = 1;

  /** @param ended aborts when the connection to the rendezvous ends. @throws PeerdError; the reason of either signal */
  async ask(peer: PeerId, send: (frame: Buffer) => void, ended: AbortSignal, signal: AbortSignal): Promise<RosterEntry> {
    if (this.#open.size >= maxOpen) throw new PeerdError('rate_limited', 'too many introductions are waiting for an answer');
    const request = this.#next;
    this.#next += 1;
    using scope = new Scope([signal, ended], { ms: introductionTimeoutMs + graceMs, reason: () => failure('timeout', peer) });
    const { promise, resolve } = Promise.withResolvers<IntroductionResult>();
    this.#open.set(request, resolve);
    try {
      send(encodeMessage(introduce, { request, peer }));
      const { verdict, peer: entry, pending = false } = await orAborted(promise, scope.signal);
      if (verdict !== 'accepted') throw failure(verdict === 'refused' && pending ? 'pending' : verdict, peer);
      if (entry?.id !== peer) throw new PeerdError('malformed_frame', 'the rendezvous introduced another peer than the one asked for');
      return entry;
    } finally {
      this.#open.delete(request);
    }
  }

  /** Late answers go nowhere. */
  settle(result: IntroductionResult): void {
    this.#open.get(result.request)?.(result);
  }
}

const failure = (verdict: keyof typeof verdicts, peer: PeerId): PeerdError => {
  const { code, text, hint } = verdicts[verdict];
  return new PeerdError(code, `${shortPeerId(peer)} ${text}`, { hint });
};
