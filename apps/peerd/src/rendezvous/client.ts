/**
 * The client of one rendezvous: runs the registration machine and does what it says.
 *
 * 1. `dispatch` steps the machine, 2. `#effect` does what it says, 3. `#connect` lives as long as one connection,
 * 4. `#message` turns what arrives into events.
 */
import {
  type Address, close as closeMessage, encodeMessage, escapeText, formatAddress, idleRegistration, maxAddresses, PeerdError, type PeerId, ping, pong, register, type Registered, type RegistrationEffect,
  type RegistrationEvent, type RegistrationState, rendezvousAlpn, type RendezvousMessage, rendezvousMessages, type RendezvousStatus, roomKeyingBytes, roomKeyingLabel,
  roomProof, type RosterEntry, rosterRequest, stepRegistration, unregister,
} from '@peerd/protocol';
import { type Channel, closeReason, dial, greet, type Logger, type RendezvousSetting } from '@peerd/service';
import { isLocalScope, mayDial } from '../net/address-scope.ts';
import { reply } from '../net/reply.ts';
import { Timers } from '../net/timers.ts';
import { Decisions } from './decisions.ts';
import type { RendezvousDeps } from './deps.ts';
import { OpenIntroductions } from './introductions.ts';
import type { RendezvousMetrics } from './metrics.ts';
import type { RendezvousReading } from './ports.ts';
import type { RosterSource } from './roster.ts';
import { ServerRoster } from './server-roster.ts';

export interface ClientContext {
  readonly deps: RendezvousDeps;
  readonly metrics: RendezvousMetrics;
  readonly clock: () => number;
  readonly onRosterChange: () => void;
}

export class RendezvousClient implements RosterSource {
  readonly address: string;
  readonly #setting: RendezvousSetting;
  readonly #context: ClientContext;
  readonly #logger: Logger;
  readonly #timers = new Timers();
  readonly #roster: ServerRoster;
  readonly #introductions = new OpenIntroductions();
  readonly #decisions: Decisions;
  readonly #closing = new Set<Promise<void>>();
  #state: RegistrationState = idleRegistration;
  #queue: RegistrationEvent[] | undefined;
  /** One per attempt and the connection that comes of it. */
  #attempt = new AbortController();
  #channel: Channel | undefined;
  #id: PeerId | undefined;
  /** The addresses of the last `register`. */
  #told: readonly Address[] = [];
  /** Of the last `register`, and what the answer showed. */
  #asked = { monotonic: 0, wall: 0 };
  #facts: Pick<RendezvousReading, 'agent' | 'roundTripMs' | 'clockAheadMs'> = {};

  constructor(setting: RendezvousSetting, context: ClientContext) {
    this.#setting = setting;
    this.#context = context;
    this.address = formatAddress(setting);
    this.#id = setting.id ?? context.deps.pins.get(this.address);
    this.#roster = new ServerRoster(context.deps.identity.id, context.clock);
    this.#logger = context.deps.logger.child({ rendezvous: this.address });
    this.#decisions = new Decisions(context.deps, context.metrics, this.#logger);
  }

  get peers(): ServerRoster['peers'] {
    return this.#roster.peers;
  }

  get local(): boolean {
    return this.#channel !== undefined && isLocalScope(this.#channel.remote.host);
  }

  status(): RendezvousStatus {
    const state = this.#state;
    const error = 'error' in state ? state.error : undefined;
    const shown = state.phase === 'registered' || state.phase === 'left' || state.phase === 'refused' ? state.phase : 'connecting';
    return { address: this.address, id: this.#id ?? null, state: shown, ...(error ? { error: { code: error.code, message: withHint(error) } } : {}) };
  }

  reading(): RendezvousReading {
    return { status: this.status(), ...this.#facts, announced: this.#told, ...(this.#channel ? { host: this.#channel.remote.host } : {}) };
  }

  dispatch(event: RegistrationEvent): void {
    if (this.#queue) {
      this.#queue.push(event);
      return;
    }
    this.#queue = [event];
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      const before = this.#state.phase;
      const { state, effects } = stepRegistration(this.#state, next);
      this.#state = state;
      if (next.kind === 'lost' && before !== state.phase) this.#context.metrics.lost(next.error.code);
      if (before !== state.phase) this.#log(state);
      if (before !== state.phase) this.#context.deps.onStatus?.(this.status());
      for (const effect of effects) this.#effect(effect);
    }
    this.#queue = undefined;
  }

  /** Asks for an introduction; the addresses in the answer may be dialled. */
  async introduce(peer: PeerId, signal: AbortSignal): Promise<RosterEntry> {
    const channel = this.#channel;
    if (!channel) throw new PeerdError('rendezvous_unreachable', `not connected to the rendezvous ${this.address}`);
    const entry = await this.#introductions.ask(peer, (frame) => void channel.send(frame), channel.signal, signal);
    return { ...entry, addresses: entry.addresses.filter(({ host }) => mayDial(host, this.local)) };
  }

  /** After `stop`: resolves when the connections are closed. */
  async closed(): Promise<void> {
    await Promise.all(this.#closing);
  }

  #effect(effect: RegistrationEffect): void {
    switch (effect.kind) {
      case 'connect':
        this.#attempt = new AbortController();
        void this.#connect(this.#attempt.signal);
        return;
      case 'disconnect':
        return this.#disconnect(effect.reason);
      case 'register':
        return this.#register();
      case 'unregister':
        return this.#send(encodeMessage(unregister, {}));
      case 'ping':
        return this.#send(encodeMessage(ping, { seq: effect.seq }));
      case 'roster-request':
        return this.#send(encodeMessage(rosterRequest, { have: effect.have }));
      case 'roster-begin':
        return this.#roster.begin();
      case 'roster-page':
        return this.#roster.page(effect.body.peers);
      case 'roster-commit':
        this.#roster.commit();
        return this.#context.onRosterChange();
      case 'roster-apply':
        this.#roster.apply(effect.body.upserts, effect.body.removes);
        return this.#context.onRosterChange();
      case 'roster-clear':
        this.#roster.clear();
        return this.#context.onRosterChange();
      case 'timer':
        return this.#timers.set('due', effect.ms, () => this.#due());
      case 'no-timer':
        return this.#timers.clear('due');
    }
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const { identity, hello, pins } = this.#context.deps;
    let channel: Channel | undefined;
    try {
      const known = this.#setting.id ?? pins.get(this.address);
      channel = await dial(identity, { host: this.#setting.host, port: this.#setting.port, protocol: rendezvousAlpn, ...(known === undefined ? {} : { expected: known }) }, signal);
      const { frames, hello: theirs } = await greet(channel, { ...hello, role: 'register' }, signal);
      if (known === undefined) {
        await pins.set(this.address, channel.peerId);
        this.#logger.info({ id: channel.peerId }, 'pinned the key of the rendezvous at first use');
      }
      signal.throwIfAborted();
      this.#id = channel.peerId;
      this.#channel = channel;
      this.#facts = { agent: theirs.agent };
      channel.expect(rendezvousMessages.bounds);
      this.dispatch({ kind: 'connected' });
      for await (const frame of frames) {
        // What a connection still says after it was given up is not about its successor.
        signal.throwIfAborted();
        this.dispatch({ kind: 'heard' });
        if (frame.type === closeMessage.type) throw closeReason(frame.payload);
        const message = rendezvousMessages.read(frame);
        if (message) this.#message(channel, message);
      }
      throw new PeerdError('rendezvous_unreachable', 'the rendezvous ended the connection');
    } catch (error) {
      if (signal.aborted) {
        channel?.destroy(stopped());
        return;
      }
      const reason = asRendezvousError(error, this.address);
      // A reason of ours is told; one of theirs, or a broken connection, needs no answer.
      if (channel && !channel.signal.aborted) this.#close(channel, reason);
      this.#channel = undefined;
      this.dispatch({ kind: 'lost', error: reason, random: this.#random() });
    }
  }

  #message(channel: Channel, message: RendezvousMessage): void {
    switch (message.kind) {
      case 'registered':
        this.#measure(message.body);
        return this.dispatch({ kind: 'registered', body: message.body });
      case 'roster-snapshot':
        return this.dispatch({ kind: 'snapshot', body: message.body, random: this.#random() });
      case 'roster-delta':
        return this.dispatch({ kind: 'delta', body: message.body });
      case 'introduction':
        void this.#decisions.decide(channel, this.local, message.body);
        return undefined;
      case 'introduction-result':
        return this.#introductions.settle(message.body);
      case 'ping':
        return reply(channel, encodeMessage(pong, message.body));
      case 'hello':
        throw new PeerdError('unexpected_message', 'the rendezvous said hello twice');
      case 'pong':
      case 'close':
        return undefined;
    }
  }

  #measure({ time }: Registered): void {
    const roundTripMs = performance.now() - this.#asked.monotonic;
    this.#facts = { ...this.#facts, roundTripMs, ...(time === undefined ? {} : { clockAheadMs: time - (this.#asked.wall + roundTripMs / 2) }) };
  }

  #due(): void {
    if (this.#state.phase === 'registered' && JSON.stringify(this.#addresses()) !== JSON.stringify(this.#told)) this.dispatch({ kind: 'changed' });
    this.dispatch({ kind: 'due', random: this.#random() });
  }

  /** Where the system does not tell them, as without descriptors, those of before count. */
  #addresses(): readonly Address[] {
    try {
      return this.#context.deps.addresses(this.local).slice(0, maxAddresses);
    } catch (error) {
      this.#logger.warn({ err: error }, 'the addresses of this machine cannot be read now');
      return this.#told;
    }
  }

  #register(): void {
    const { room, roomSecret } = this.#context.deps;
    const channel = this.#channel;
    if (!channel) return;
    const addresses = [...this.#addresses()];
    this.#told = addresses;
    this.#asked = { monotonic: performance.now(), wall: Date.now() };
    const proof = roomSecret ? { roomProof: roomProof(roomSecret, room, channel.exportKeyingMaterial(roomKeyingBytes, roomKeyingLabel)) } : {};
    this.#send(encodeMessage(register, { room, addresses, ...proof }));
  }

  #send(frame: Buffer): void {
    this.#channel?.send(frame);
  }

  #disconnect(reason: PeerdError): void {
    const channel = this.#channel;
    this.#channel = undefined;
    // The close message first: aborting the attempt destroys what is left of it.
    if (channel) this.#close(channel, reason);
    this.#attempt.abort(reason);
  }

  #close(channel: Channel, reason: PeerdError): void {
    const closing = channel.close(reason).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #log(state: RegistrationState): void {
    if (state.phase === 'registered') this.#logger.info({ epoch: state.epoch }, 'registered');
    else if (state.phase === 'left') this.#logger.info('left the rendezvous');
    else if (state.phase === 'refused') this.#logger.warn({ code: state.error.code, hint: state.error.hint }, escapeText(state.error.message));
    else if (state.phase === 'backoff') this.#logger.info({ code: state.error.code, attempt: state.attempt }, escapeText(state.error.message));
  }

  #random(): number {
    return (this.#context.deps.random ?? Math.random)();
  }
}

/** Failures of a channel, in the words of whoever looks at the rendezvous. */
const asRendezvousError = (error: unknown, address: string): PeerdError => {
  if (!(error instanceof PeerdError)) return new PeerdError('internal', `the client of ${address} failed: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  switch (error.code) {
    case 'wrong_key':
      return new PeerdError('wrong_key', `${address}: ${error.message}`, {
        cause: error,
        hint: `If this rendezvous was set up anew, ask its operator for its id and give --rendezvous ${address}#ID. Otherwise somebody else answers in its place.`,
      });
    case 'room_secret_wrong':
      return new PeerdError('room_secret_wrong', error.message, { hint: 'Give the same --room-secret-file as the rendezvous has.' });
    case 'peer_unreachable':
    case 'handshake_timeout':
    case 'link_lost':
      // What could not be dialled names what was tried, which is another address where a host name was given.
      return new PeerdError('rendezvous_unreachable', error.message.startsWith(`${address}: `) ? error.message : `${address}: ${error.message}`, { cause: error, hint: 'Is the rendezvous running there, and may this machine reach it?' });
    default:
      return error;
  }
};

const withHint = (error: PeerdError): string => escapeText(error.hint === undefined ? error.message : `${error.message}. ${error.hint}`);
const stopped = (): PeerdError => new PeerdError('disconnected', 'the client leaves');
