/** Runs the registration machine, as apps/peerd/src/rendezvous/client.ts does. */
import { idleRegistration, PeerdError, type PeerId, type RegistrationEffect, type RegistrationEvent, type RegistrationState, stepRegistration } from '@peerd/protocol';
import { ServerRoster } from '../../apps/peerd/src/rendezvous/server-roster.ts';
import type { Task } from '../engine/timeline.ts';
import { room } from '../rendezvous/server.ts';
import type { Process } from '../world/machine.ts';
import type { Message } from '../world/message.ts';
import type { Endpoint, Network, Wire } from '../world/network.ts';
import { dialAndGreet } from './greet.ts';

export const rendezvousName = 'rendezvous';
/** The rendezvous answers within 60 s; the way takes time too. */
const introductionMs = 65_000;

export interface RendezvousUser {
  rosterChanged(): void;
  /** The answer to an introduction to us. */
  introduced(from: PeerId): 'accepted' | 'refused';
}

export class RendezvousClient {
  state: RegistrationState = idleRegistration;
  readonly #process: Process;
  readonly #network: Network;
  readonly #user: RendezvousUser;
  readonly #roster: ServerRoster;
  #wire: Wire | undefined;
  #giveUp: (() => void) | undefined;
  #timer: Task | undefined;
  #queue: RegistrationEvent[] | undefined;
  readonly #asked = new Map<number, { readonly answer: (verdict: string) => void; readonly timer: Task }>();

  constructor(process: Process, network: Network, user: RendezvousUser) {
    this.#process = process;
    this.#network = network;
    this.#user = user;
    this.#roster = new ServerRoster(process.machine.name, () => process.count());
  }

  get roster(): ServerRoster['peers'] {
    return this.#roster.peers;
  }

  dispatch(event: RegistrationEvent): void {
    if (this.#queue) {
      this.#queue.push(event);
      return;
    }
    this.#queue = [event];
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      const before = this.state;
      const { state, effects } = stepRegistration(before, next);
      this.state = state;
      if (state.phase !== before.phase) this.#process.log(() => `registration ${before.phase} → ${state.phase}`);
      if (state.phase === 'registered' && before.phase !== 'registered') this.#process.machine.ledger.counts.registrations += 1;
      for (const effect of effects) this.#effect(effect);
      this.#process.machine.ledger.check(state.phase === 'registered' || this.#roster.peers.size === 0, 'no roster without a registration', () => this.#process.machine.name);
    }
    this.#queue = undefined;
  }

  introduce(peer: PeerId, answer: (verdict: string) => void): void {
    const wire = this.#wire;
    if (!wire) return answer('rendezvous_unreachable');
    const request = this.#process.count();
    const timer = this.#process.after(introductionMs, () => this.#settle(request, 'timeout'));
    this.#asked.set(request, { answer, timer });
    wire.send(0, { kind: 'introduce', request, peer });
  }

  #settle(request: number, verdict: string): void {
    const asked = this.#asked.get(request);
    if (!asked) return;
    this.#asked.delete(request);
    asked.timer.cancelled = true;
    asked.answer(verdict);
  }

  #effect(effect: RegistrationEffect): void {
    switch (effect.kind) {
      case 'connect':
        return this.#connect();
      case 'disconnect':
        this.#giveUp?.();
        this.#wire?.send(0, { kind: 'close', code: effect.reason.code });
        this.#wire?.close(0);
        return this.#unplug();
      case 'register':
        return this.#wire?.send(0, { kind: 'register', body: { room, addresses: [{ host: this.#process.machine.name, port: 1, kind: 'host' }] } });
      case 'unregister':
        return this.#wire?.send(0, { kind: 'unregister' });
      case 'ping':
        return this.#wire?.send(0, { kind: 'ping', seq: effect.seq });
      case 'roster-request':
        return this.#wire?.send(0, { kind: 'roster-request' });
      case 'roster-begin':
        return this.#roster.begin();
      case 'roster-page':
        return this.#roster.page(effect.body.peers);
      case 'roster-commit':
        this.#roster.commit();
        return this.#user.rosterChanged();
      case 'roster-apply':
        this.#roster.apply(effect.body.upserts, effect.body.removes);
        return this.#user.rosterChanged();
      case 'roster-clear':
        this.#roster.clear();
        return this.#user.rosterChanged();
      case 'timer':
        if (this.#timer) this.#timer.cancelled = true;
        this.#timer = this.#process.after(effect.ms, () => this.dispatch({ kind: 'due', random: this.#random() }));
        return undefined;
      case 'no-timer':
        if (this.#timer) this.#timer.cancelled = true;
    }
    return undefined;
  }

  #connect(): void {
    const { ledger } = this.#process.machine;
    ledger.check(this.#wire === undefined, 'one connection to the rendezvous', () => this.#process.machine.name);
    this.#giveUp = dialAndGreet({
      network: this.#network, process: this.#process, to: rendezvousName, role: 'register',
      greeted: (wire) => {
        this.#wire = wire;
        const endpoint: Endpoint = {
          // What a connection still says after it was given up is not about its successor.
          receive: (message) => this.#wire === wire && this.#receive(wire, message),
          closed: () => this.#wire === wire && this.#lost(new PeerdError('rendezvous_unreachable', 'the connection ended')),
        };
        wire.ends[0] = endpoint;
        this.dispatch({ kind: 'connected' });
        return endpoint;
      },
      failed: () => this.#lost(new PeerdError('rendezvous_unreachable', 'no connection')),
    });
  }

  #receive(wire: Wire, message: Message): void {
    this.dispatch({ kind: 'heard' });
    switch (message.kind) {
      case 'registered':
        return this.dispatch({ kind: 'registered', body: message.body });
      case 'roster-snapshot':
        return this.dispatch({ kind: 'snapshot', body: message.body, random: this.#random() });
      case 'roster-delta':
        return this.dispatch({ kind: 'delta', body: message.body });
      case 'introduction':
        return wire.send(0, { kind: 'introduction-answer', introduction: message.introduction, verdict: this.#user.introduced(message.from.id) });
      case 'introduction-result':
        return this.#settle(message.request, message.verdict);
      case 'ping':
        return wire.send(0, { kind: 'pong', seq: message.seq });
      case 'close':
        wire.close(0);
        return this.#lost(new PeerdError(message.code, 'the rendezvous said so'));
      default:
        this.#process.machine.ledger.check(message.kind === 'pong', 'only what is allowed on a connection', () => `${message.kind} from the rendezvous`);
    }
  }

  #lost(error: PeerdError): void {
    this.#unplug();
    this.dispatch({ kind: 'lost', error, random: this.#random() });
  }

  #unplug(): void {
    this.#wire = undefined;
    this.#giveUp = undefined;
    for (const request of this.#asked.keys()) this.#settle(request, 'rendezvous_unreachable');
  }

  #random(): number {
    return this.#process.machine.random.next();
  }
}
