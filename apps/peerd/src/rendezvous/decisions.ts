/** Introductions to us: the handler decides, its answer goes back to the rendezvous that asked. */
import { encodeMessage, type Introduction, introductionAnswer, introductionTimeoutMs, PeerdError } from '@peerd/protocol';
import type { Channel, Logger } from '@peerd/service';
import { mayDial } from '../net/address-scope.ts';
import { reply } from '../net/reply.ts';
import { orAborted, Scope } from '../net/scope.ts';
import type { RendezvousDeps } from './deps.ts';
import type { RendezvousMetrics } from './metrics.ts';
import type { IntroductionVerdict } from './ports.ts';

/** Decisions of one rendezvous that may be open; a person may have to make them. */
const maxDeciding = 64;

export class Decisions {
  readonly #deps: Pick<RendezvousDeps, 'identity' | 'onIntroduction'>;
  readonly #metrics: RendezvousMetrics;
  readonly #logger: Logger;
  #open = 0;

  constructor(deps: Pick<RendezvousDeps, 'identity' | 'onIntroduction'>, metrics: RendezvousMetrics, logger: Logger) {
    this.#deps = deps;
    this.#metrics = metrics;
    this.#logger = logger;
  }

  /** Never rejects. An answer that comes too late, or after the connection ended, is dropped. */
  async decide(channel: Channel, local: boolean, { introduction, from }: Introduction): Promise<void> {
    const answer = (verdict: IntroductionVerdict): void => {
      this.#metrics.asked(verdict);
      reply(channel, encodeMessage(introductionAnswer, verdict === 'pending' ? { introduction, verdict: 'refused', pending: true } : { introduction, verdict }));
    };
    if (from.id === this.#deps.identity.id || this.#open >= maxDeciding) return answer('refused');
    this.#open += 1;
    try {
      using scope = new Scope([channel.signal], { ms: introductionTimeoutMs, reason: () => new PeerdError('introduction_timeout', 'nobody decided in time') });
      const dialable = { ...from, addresses: from.addresses.filter(({ host }) => mayDial(host, local)) };
      answer(await orAborted(this.#deps.onIntroduction(dialable, local), scope.signal));
    } catch (error) {
      this.#metrics.asked('unanswered');
      this.#logger.warn({ peer: from.id, err: error }, 'an introduction was not answered');
    } finally {
      this.#open -= 1;
    }
  }
}
