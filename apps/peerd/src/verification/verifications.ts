/**
 * Comparing codes with peers: one machine per link (packages/protocol, machines/verification.ts), and the person of this side
 * who began it, if one did.
 */
import { randomBytes } from 'node:crypto';
import {
  encodeMessage, escapeText, idleVerification, type InboxVerification, type LinkMessage, PeerdError, type PeerId, stepVerification, verifyCancel, verifyCommit, verifyConfirm,
  verifyKeyingBytes, verifyKeyingLabel, type VerificationContext, type VerificationEffect, type VerificationEnd, type VerificationEvent, type VerificationState, type VerifyMessage,
  verifyNonceBytes, verifyReveal,
} from '@peerd/protocol';
import type { Logger, Rate } from '@peerd/service';
import type { Pacing } from '../net/pacing.ts';
import type { ReadPace } from '../net/read-pace.ts';
import type { Contacts } from '../contacts/ports.ts';
import type { EventSink } from '../control/ports.ts';
import type { Link, LinkUser } from '../peer/ports.ts';

export interface VerificationOptions {
  readonly self: PeerId;
  readonly contacts: Pick<Contacts, 'get' | 'trustOf' | 'verified'>;
  readonly events: EventSink;
  readonly logger: Logger;
  readonly pacing: Pick<Pacing, 'pace'>;
  readonly now: () => number;
}

/** Messages of one link; a flood is read no faster. */
const rate: Rate = { burst: 32, perSecond: 2 };

interface Session {
  readonly link: Link;
  readonly context: VerificationContext;
  state: VerificationState;
  askedAt: number | undefined;
  attempt: { readonly onCode: (code: string) => void; readonly ended: (end: VerificationEnd) => void } | undefined;
}

export class Verifications implements LinkUser {
  readonly #options: VerificationOptions;
  readonly #sessions = new Map<PeerId, Session>();
  readonly #pace: ReadPace;

  constructor(options: VerificationOptions) {
    this.#options = options;
    this.#pace = options.pacing.pace('verification', rate);
  }

  /** @throws PeerdError `wrong_state`: it is under way */
  assertFree(peer: PeerId): void {
    if (!this.#sessions.get(peer)?.attempt) return;
    throw new PeerdError('wrong_state', 'codes are being compared with this peer already', { hint: 'Go on where that was begun, or end it there with Ctrl-C.' });
  }

  /**
   * Resolves at the end; trust was stored before when it is `verified`. Aborting `signal` gives up.
   *
   * @throws PeerdError `wrong_state`, `link_lost`; of the database
   */
  async verify(peer: PeerId, { signal, onCode }: { signal: AbortSignal; onCode: (code: string) => void }): Promise<VerificationEnd> {
    this.assertFree(peer);
    const session = this.#sessions.get(peer);
    if (!session) throw new PeerdError('link_lost', 'the link to the peer has ended', { hint: 'Try again.' });
    const { promise, resolve } = Promise.withResolvers<VerificationEnd>();
    session.attempt = { onCode, ended: resolve };
    const stop = (): void => this.#dispatch(session, { kind: 'stop', end: signal.reason instanceof PeerdError && signal.reason.code === 'verify_timeout' ? 'timeout' : 'cancelled' });
    signal.addEventListener('abort', stop, { once: true });
    try {
      this.#dispatch(session, { kind: 'start', nonce: randomBytes(verifyNonceBytes) });
      if (signal.aborted) stop();
      const end = await promise;
      if (end === 'verified') await this.#options.contacts.verified(peer);
      this.#tell(session.link, end);
      return end;
    } finally {
      signal.removeEventListener('abort', stop);
      session.attempt = undefined;
    }
  }

  /** What the person says of the code. @throws PeerdError `wrong_state`: there is no code to be compared */
  answer(peer: PeerId, same: boolean): void {
    const session = this.#sessions.get(peer);
    if (session?.state.phase !== 'comparing') throw new PeerdError('wrong_state', 'there is no code of this peer to be compared', { hint: 'Begin with `peerctl verify`.' });
    this.#dispatch(session, { kind: 'answer', same });
  }

  /** Peers whose person waits for ours. */
  asking(): InboxVerification[] {
    return [...this.#sessions.values()].flatMap(({ link, askedAt }) =>
      askedAt === undefined ? [] : [{ from: this.#reference(link), trust: this.#options.contacts.trustOf(link.peer, link.name), receivedAt: askedAt }],
    );
  }

  linkUp(link: Link): void {
    const context = { self: this.#options.self, peer: link.peer, keyingMaterial: link.exportKeyingMaterial(verifyKeyingBytes, verifyKeyingLabel) };
    this.#sessions.set(link.peer, { link, context, state: idleVerification, askedAt: undefined, attempt: undefined });
  }

  linkDown(link: Link): void {
    const session = this.#sessions.get(link.peer);
    if (session?.link !== link) return;
    this.#sessions.delete(link.peer);
    this.#dispatch(session, { kind: 'lost' });
  }

  async message(link: Link, message: LinkMessage): Promise<void> {
    const session = this.#sessions.get(link.peer);
    if (!isVerify(message) || session?.link !== link) return;
    await this.#pace.turn(link);
    this.#dispatch(session, { kind: 'message', message });
  }

  #dispatch(session: Session, event: VerificationEvent): void {
    const { state, effects } = stepVerification(session.state, event, session.context);
    session.state = state;
    for (const effect of effects) this.#perform(session, effect);
  }

  #perform(session: Session, effect: VerificationEffect): void {
    switch (effect.kind) {
      case 'send':
        // Not awaited: two peers that wait for each other to read would stop both. The rate bounds what may queue up here.
        session.link.send(frameOf(effect.message)).catch(() => {});
        return;
      case 'asked':
        session.askedAt = effect.waiting ? this.#options.now() : undefined;
        if (effect.waiting) this.#options.logger.info({ peer: session.link.peer }, 'verification: the person of this peer wants to compare codes: see `peerctl inbox`');
        // Our own beginning withdraws it too, and needs no news.
        if (effect.waiting || !session.attempt) this.#publish(session.link, effect.waiting ? 'asked' : 'withdrawn');
        return;
      case 'code':
        session.attempt?.onCode(effect.code);
        return;
      case 'ended':
        session.attempt?.ended(effect.end);
    }
  }

  #tell(link: Link, end: VerificationEnd): void {
    const alarming = end === 'mismatch' || end === 'broken';
    this.#options.logger[alarming ? 'warn' : 'info']({ peer: link.peer, end }, alarming ? 'verification: NOT the same: somebody may stand between' : 'verification: over');
    this.#publish(link, end === 'verified' || end === 'mismatch' || end === 'cancelled' ? end : 'failed');
  }

  #publish(link: Link, state: 'asked' | 'withdrawn' | 'verified' | 'mismatch' | 'cancelled' | 'failed'): void {
    this.#options.events.publish({ kind: 'verification', peer: this.#reference(link), state });
  }

  #reference(link: Link): { id: PeerId; name: string } {
    return { id: link.peer, name: escapeText(this.#options.contacts.get(link.peer)?.name ?? link.name) };
  }
}

const isVerify = (message: LinkMessage): message is VerifyMessage =>
  message.kind === 'verify-commit' || message.kind === 'verify-reveal' || message.kind === 'verify-confirm' || message.kind === 'verify-cancel';

const frameOf = (message: VerifyMessage): Buffer => {
  switch (message.kind) {
    case 'verify-commit':
      return encodeMessage(verifyCommit, message.body);
    case 'verify-reveal':
      return encodeMessage(verifyReveal, message.body);
    case 'verify-confirm':
      return encodeMessage(verifyConfirm, message.body);
    case 'verify-cancel':
      return encodeMessage(verifyCancel, message.body);
  }
};
