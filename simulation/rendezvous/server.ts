/** The rendezvous: the real registry and introductions of apps/rendezvous, with connections and timers around them. */
import { leaseMs, rendezvousHeartbeatMs } from '@peerd/protocol';
import { Introductions } from '../../apps/rendezvous/src/introduction/introductions.ts';
import { coalesceMs, introductionLimits } from '../../apps/rendezvous/src/limits.ts';
import { Registry } from '../../apps/rendezvous/src/registry/registry.ts';
import { awaitHello, welcome } from '../peer/greet.ts';
import type { Process } from '../world/machine.ts';
import type { Message } from '../world/message.ts';
import { listen, type Wire } from '../world/network.ts';

export const room = 'lobby';

export class RendezvousServer {
  readonly registry: Registry = new Registry({ maxPeers: 100, leaseMs });
  readonly #introductions = new Introductions(introductionLimits);
  readonly #process: Process;
  readonly #clients = new Map<number, { readonly wire: Wire; readonly id: string }>();
  /** The client that registered an id last, and its epoch. */
  readonly #newest = new Map<string, { readonly client: number; readonly epoch: number }>();
  #publishing = false;

  constructor(process: Process) {
    this.#process = process;
    listen(process, (wire) => awaitHello(process, wire, (greeted, hello) => this.#session(greeted, hello.id)));
    this.#everySecond();
  }

  /** The lease or epoch rule: whoever is listed, is the newest registration of its id. */
  #check(): void {
    const { ledger } = this.#process.machine;
    for (const { client, entry } of this.registry.all()) {
      const newest = this.#newest.get(entry.id);
      ledger.check(newest?.client === client && newest.epoch === entry.epoch, 'the newest registration wins', () => `${entry.id} is listed with epoch ${entry.epoch}, newest is ${newest?.epoch}`);
    }
  }

  #session(wire: Wire, id: string): { receive: (message: Message) => void; closed: () => void } {
    const client = this.#process.count();
    this.#clients.set(client, { wire, id });
    welcome(this.#process, wire);
    return { receive: (message) => this.#receive(client, id, wire, message), closed: () => this.#gone(client) };
  }

  #receive(client: number, id: string, wire: Wire, message: Message): void {
    const { timeline, wall } = this.#process.machine;
    this.registry.heard(client, timeline.now);
    switch (message.kind) {
      case 'ping':
        return wire.send(1, { kind: 'pong', seq: message.seq });
      case 'register': {
        const { addresses } = message.body;
        const decision = this.registry.register({ client, id, name: id, room, addresses, observedHost: id }, { monotonic: timeline.now, wall });
        if (decision.kind === 'full') return this.#end(client, 'rendezvous_full');
        const before = this.#newest.get(id);
        this.#process.machine.ledger.check(decision.epoch > (before?.epoch ?? 0), 'epochs grow', () => `${id}: ${decision.epoch} after ${before?.epoch}`);
        this.#newest.set(id, { client, epoch: decision.epoch });
        if (decision.superseded !== undefined) {
          this.#carryOut(this.#introductions.left(decision.superseded, timeline.now));
          this.#end(decision.superseded, 'superseded');
        }
        wire.send(1, { kind: 'registered', body: { epoch: decision.epoch, observedHost: id, leaseMs, heartbeatMs: rendezvousHeartbeatMs } });
        this.#snapshot(client, wire);
        this.#check();
        return this.#changed();
      }
      case 'roster-request':
        return this.#snapshot(client, wire);
      case 'introduce':
        return this.#carryOut(this.#introductions.ask(client, message.request, this.registry.neighbour(client, message.peer)?.client, timeline.now));
      case 'introduction-answer':
        return this.#carryOut(this.#introductions.answer(client, message.introduction, message.verdict, timeline.now));
      case 'unregister':
      case 'close':
        return this.#gone(client);
      default:
        this.#process.machine.ledger.check(message.kind === 'pong', 'only what is allowed on a connection', () => `${message.kind} at the rendezvous`);
    }
  }

  #snapshot(client: number, wire: Wire): void {
    for (const body of this.registry.snapshot(client)) wire.send(1, { kind: 'roster-snapshot', body });
  }

  #changed(): void {
    if (this.#publishing || !this.registry.dirty) return;
    this.#publishing = true;
    this.#process.after(coalesceMs(this.registry.peers), () => {
      this.#publishing = false;
      for (const { deliveries } of this.registry.publish())
        for (const { client, delta } of deliveries) this.#clients.get(client)?.wire.send(1, { kind: 'roster-delta', body: delta });
      this.#changed();
    });
  }

  #gone(client: number): void {
    const known = this.#clients.get(client);
    if (!known) return;
    this.#clients.delete(client);
    known.wire.close(1);
    if (this.registry.leave(client)) this.#carryOut(this.#introductions.left(client, this.#process.machine.timeline.now));
    this.#changed();
  }

  #end(client: number, code: 'superseded' | 'lease_expired' | 'rendezvous_full'): void {
    this.#clients.get(client)?.wire.send(1, { kind: 'close', code });
    this.#gone(client);
  }

  #everySecond(): void {
    const { timeline } = this.#process.machine;
    for (const client of this.registry.expire(timeline.now)) {
      this.#carryOut(this.#introductions.left(client, timeline.now));
      this.#end(client, 'lease_expired');
    }
    this.#carryOut(this.#introductions.expire(timeline.now));
    this.#check();
    this.#changed();
    this.#process.after(1_000, () => this.#everySecond());
  }

  #carryOut(moves: ReturnType<Introductions['ask']>): void {
    for (const move of moves) {
      if (move.kind === 'forward') {
        const from = this.registry.registration(move.asker)?.entry;
        if (from) this.#clients.get(move.target)?.wire.send(1, { kind: 'introduction', introduction: move.introduction, from });
      } else if (move.kind === 'result') {
        this.#clients.get(move.asker)?.wire.send(1, { kind: 'introduction-result', request: move.request, verdict: move.verdict });
      }
    }
  }
}
