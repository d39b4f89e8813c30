/** What a frame of a client means, in the order of the protocol: `register` first, everything else after it. */
import { type ClientMessage, clientMessages, encodeMessage, type Frame, PeerdError, pong } from '@peerd/protocol';
import type { PeerBudgets } from '@peerd/service';
import type { Clock } from '../clock.ts';
import type { IntroductionDesk } from '../introduction/introduction-desk.ts';
import type { Metrics } from '../metrics.ts';
import type { Registry } from '../registry/registry.ts';
import type { Client } from './client.ts';
import type { RosterDesk } from './roster-desk.ts';

/** Tokens of a message that makes the server send a whole roster. */
const rosterCost = 10;
const slowDownMs = 5_000;

export interface DispatchParts {
  readonly registry: Registry;
  readonly roster: RosterDesk;
  readonly introductions: IntroductionDesk;
  readonly budgets: PeerBudgets;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** `registered`: this frame put the client on the roster; `leaving`: the client wants to go. */
export type Outcome = 'done' | 'registered' | 'leaving';

/** @throws PeerdError the reason to end the connection */
export const dispatch = (client: Client, frame: Frame, parts: DispatchParts): Outcome => {
  const { roster, metrics } = parts;
  roster.heard(client);
  const message = clientMessages.read(frame);
  if (!message) {
    spend(client, 1, parts);
    metrics.framesSkipped.inc();
    return 'done';
  }
  switch (message.kind) {
    case 'close':
    case 'unregister':
      return 'leaving';
    case 'ping':
      spend(client, 1, parts);
      client.outbox.send(encodeMessage(pong, { seq: message.body.seq }));
      return 'done';
    case 'pong':
      spend(client, 1, parts);
      return 'done';
    case 'register':
      spend(client, rosterCost, parts);
      roster.register(client, message.body);
      return 'registered';
    default:
      afterRegistration(client, message, parts);
      return 'done';
  }
};

type Rest = Exclude<ClientMessage, { kind: 'close' | 'unregister' | 'ping' | 'pong' | 'register' }>;

const afterRegistration = (client: Client, message: Rest, parts: DispatchParts): void => {
  const { roster, introductions, registry } = parts;
  const registered = registry.registration(client.id) !== undefined;
  if (message.kind === 'hello' || !registered)
    throw new PeerdError('unexpected_message', `${message.kind} is not allowed ${registered ? 'after' : 'before'} the registration`);
  switch (message.kind) {
    case 'roster-request':
      spend(client, rosterCost, parts);
      roster.sendSnapshot(client);
      break;
    case 'introduce':
      spend(client, 1, parts);
      introductions.ask(client.id, message.body);
      break;
    case 'introduction-answer':
      // An answer that we asked for is free: others could use up the budget of a peer by asking for it.
      if (!introductions.answer(client.id, message.body)) spend(client, 1, parts);
  }
};

const spend = (client: Client, tokens: number, { budgets, clock }: DispatchParts): void => {
  if (budgets.take(client.peerId, clock.monotonic(), tokens)) return;
  throw new PeerdError('rate_limited', 'this client sends more messages than it may', { hint: 'Wait before you connect again.', details: { retryAfterMs: slowDownMs } });
};
