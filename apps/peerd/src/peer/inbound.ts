/**
 * What comes in at the listener: 1. TLS has shown the key, policy decides, 2. hello says what it is, 3. it becomes a control
 * connection or a data connection.
 */
import { PeerdError, type PeerId } from '@peerd/protocol';
import { answerHello, awaitHello, type Channel, type Greeted, type PeerBudgets } from '@peerd/service';
import type { Admission } from './admission.ts';
import type { LinksDeps } from './deps.ts';
import type { TakeData } from './link-data.ts';
import type { LinkMetrics } from './metrics.ts';
import type { Tokens } from './tokens.ts';

export interface InboundContext {
  readonly deps: Pick<LinksDeps, 'identity' | 'hello' | 'logger'>;
  readonly admission: Admission;
  readonly comings: PeerBudgets;
  readonly metrics: LinkMetrics;
  readonly tokens: Tokens<TakeData>;
  /** @throws PeerdError `too_many_connections` */
  readonly makeRoomFor: (peer: PeerId) => void;
  readonly adopt: (channel: Channel, greeted: Greeted) => void;
  /** Aborts when the daemon stops. */
  readonly signal: AbortSignal;
}

/** Never rejects. */
export const acceptInbound = async (channel: Channel, settled: () => void, context: InboundContext): Promise<void> => {
  const { admission, metrics, deps } = context;
  try {
    const refusal = channel.peerId === deps.identity.id ? new PeerdError('not_introduced', 'this is the same identity') : admission.refusal(channel.peerId);
    if (refusal) throw refusal;
    const greeted = await awaitHello(channel, context.signal);
    const { role, token } = greeted.hello;
    if (role === 'link') {
      // A person may have blocked it meanwhile.
      const late = admission.refusal(channel.peerId);
      if (late) throw late;
      if (!context.comings.take(channel.peerId, performance.now())) throw new PeerdError('rate_limited', 'the peer links more often than it may');
      context.makeRoomFor(channel.peerId);
      answerHello(channel, { ...deps.hello, role: 'link' });
      settled();
      return context.adopt(channel, greeted);
    }
    const take = role === 'data' && token ? context.tokens.redeem(token, channel.peerId) : undefined;
    if (!take) throw role === 'data' ? new PeerdError('token_invalid', 'the token is unknown, used or expired') : new PeerdError('unexpected_message', `nothing here has the role ${role}`);
    answerHello(channel, { ...deps.hello, role: 'data' });
    settled();
    if (!take(channel, greeted.frames)) channel.destroy(new PeerdError('token_invalid', 'the data connection came too late'));
  } catch (error) {
    const reason = error instanceof PeerdError ? error : new PeerdError('internal', 'an inbound connection failed', { cause: error });
    // Whoever only leaves was not refused.
    if (reason.code !== 'link_lost') metrics.refused(reason.code);
    deps.logger.debug({ peer: channel.peerId, address: channel.remote, code: reason.code }, 'inbound connection refused');
    // `awaitHello` has closed the channel already if it failed.
    if (!channel.signal.aborted) await channel.close(reason);
  }
  return undefined;
};
