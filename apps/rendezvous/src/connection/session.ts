/** The life of one connection: hello, registration, messages, end. */
import { clientMessages, escapeText, type Hello, PeerdError, shortPeerId } from '@peerd/protocol';
import { answerHello, awaitHello, type Channel, type Logger } from '@peerd/service';
import type { ClientId } from '../client-id.ts';
import type { Clock } from '../clock.ts';
import type { Metrics } from '../metrics.ts';
import { Client } from './client.ts';
import { dispatch, type DispatchParts } from './dispatch.ts';
import type { OutboxLimits } from './outbox.ts';

export interface SessionParts extends DispatchParts {
  readonly clients: Map<ClientId, Client>;
  readonly hello: Hello;
  readonly limits: OutboxLimits;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly nextId: () => ClientId;
  /** Aborts when the server stops. */
  readonly signal: AbortSignal;
}

/** Resolves when the connection is closed. `settled` is called once the client is registered. */
export const runSession = async (channel: Channel, settled: () => void, parts: SessionParts): Promise<void> => {
  const { logger, metrics } = parts;
  const peer = shortPeerId(channel.peerId);
  let greeted;
  try {
    greeted = await awaitHello(channel, parts.signal);
    if (greeted.hello.role !== 'register') throw new PeerdError('unexpected_message', `a rendezvous takes connections for registration, not for "${greeted.hello.role}"`);
  } catch (error) {
    return reject(channel, error, parts);
  }
  answerHello(channel, parts.hello);
  channel.expect(clientMessages.bounds);
  const client = new Client(parts.nextId(), channel, greeted.hello, parts.limits, parts.clock, (slow, reason) => {
    parts.roster.leave(slow, 'slow_consumer');
    void slow.close(reason);
  });
  parts.clients.set(client.id, client);
  metrics.connectionsAccepted.inc();
  logger.debug({ peer, client: client.id, name: escapeText(client.name), agent: escapeText(client.agent), from: client.observedHost }, 'connection');
  let wasRegistered = false;
  try {
    for await (const frame of greeted.frames) {
      if (client.ended) continue;
      const outcome = dispatch(client, frame, parts);
      if (outcome === 'registered') {
        settled();
        wasRegistered = true;
        logger.info({ peer, client: client.id, name: escapeText(client.name), from: client.observedHost }, 'registered');
      } else if (outcome === 'leaving') {
        parts.roster.leave(client, 'unregistered');
        void client.close(new PeerdError('disconnected', 'as asked for'));
      }
    }
  } catch (error) {
    // What ended the connection from elsewhere (superseded, removed, …) has been told and counted there.
    if (!channel.signal.aborted) {
      parts.roster.leave(client, 'refused_frame');
      await reject(channel, error, parts);
    }
  } finally {
    parts.roster.leave(client, 'disconnected');
    parts.clients.delete(client.id);
    const reason = (channel.signal.reason as PeerdError | undefined)?.code ?? 'disconnected';
    // Whoever never registered can't fill the log.
    logger[wasRegistered ? 'info' : 'debug']({ peer, client: client.id, reason }, 'connection ended');
    // A client that ended its side but doesn't read must not keep the socket.
    await channel.close(new PeerdError('disconnected', 'the client ended the connection'));
  }
};

/** Counts why, tells the client, and waits until the connection is closed. */
const reject = async (channel: Channel, error: unknown, { metrics, logger }: SessionParts): Promise<void> => {
  const reason = error instanceof PeerdError ? error : new PeerdError('internal', 'a defect in the rendezvous', { cause: error });
  if (reason.code === 'internal') logger.error({ err: error }, 'a connection met a defect');
  else if (refusals.has(reason.code)) metrics.registrationsRefused.inc({ reason: reason.code });
  else if (reason.code !== 'link_lost') metrics.framesRejected.inc({ reason: reason.code });
  logger.debug({ peer: shortPeerId(channel.peerId), from: channel.remote.host, reason: reason.code, message: escapeText(reason.message) }, 'connection refused');
  const retryAfterMs = reason.details?.['retryAfterMs'];
  await channel.close(reason, typeof retryAfterMs === 'number' ? retryAfterMs : undefined);
};

const refusals: ReadonlySet<string> = new Set(['rendezvous_full', 'room_secret_wrong']);
