/** Why a peer could not be reached, in the words of one error. */
import { type ErrorCode, escapeText, PeerdError, type PeerId, shortPeerId } from '@peerd/protocol';

/** Most telling first. */
const telling: readonly ErrorCode[] = ['wrong_key', 'introduction_refused', 'introduction_pending', 'not_introduced', 'introduction_timeout'];

const hints: Partial<Record<ErrorCode, string>> = {
  not_introduced: 'Both have to be on the same rendezvous and in the same room, or the person there has to trust your id (peerctl whoami shows it).',
};

export class Failures {
  readonly #peer: PeerId;
  /** The last failure of each address. */
  readonly #dials = new Map<string, PeerdError>();
  introduction: PeerdError | undefined;

  constructor(peer: PeerId) {
    this.#peer = peer;
  }

  dial(address: string, error: PeerdError): void {
    this.#dials.set(address, error);
  }

  /** Forgets addresses that are no candidates any more. */
  keep(addresses: readonly string[]): void {
    for (const address of this.#dials.keys()) if (!addresses.includes(address)) this.#dials.delete(address);
  }

  has(code: ErrorCode): boolean {
    return this.#all().some((error) => error.code === code);
  }

  /** The peer itself has said no: asking again changes nothing. */
  get isRefusal(): boolean {
    return this.has('introduction_refused');
  }

  /** Somebody answers everywhere, and nowhere it is the peer. */
  get isWrongKey(): boolean {
    return this.#dials.size > 0 && this.#dials.values().every(({ code }) => code === 'wrong_key');
  }

  error(): PeerdError {
    const all = this.#all();
    for (const code of telling) {
      const found = all.find((error) => error.code === code);
      const hint = found?.hint ?? hints[code];
      if (found) return new PeerdError(code, escapeText(found.message), { cause: found, ...(hint === undefined ? {} : { hint }), ...(found.details ? { details: found.details } : {}) });
    }
    const name = shortPeerId(this.#peer);
    const tried = [...this.#dials].map(([address, error]) => `${escapeText(address)}: ${escapeText(withoutAddress(address, error.message))}`);
    if (this.introduction) tried.push(`introduction: ${escapeText(this.introduction.message)}`);
    if (tried.length === 0) {
      return new PeerdError('peer_unreachable', `no link to ${name} came up: no address of it is known, and no rendezvous lists it`, {
        hint: 'peerctl status shows the rendezvous; peerctl trust ID@HOST:PORT adds an address.',
      });
    }
    return new PeerdError('peer_unreachable', `no link to ${name} came up; tried ${tried.join('; ')}`, {
      hint: 'Is peerd running there, and does a firewall between let one of the two listen? peerctl doctor looks for causes.',
    });
  }

  #all(): PeerdError[] {
    return [...(this.introduction ? [this.introduction] : []), ...this.#dials.values()];
  }
}

const withoutAddress = (address: string, message: string): string => (message.startsWith(`${address}: `) ? message.slice(address.length + 2) : message);
