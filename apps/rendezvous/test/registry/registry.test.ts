import assert from 'node:assert/strict';
import { type Address, encodeMessage, KiB, type PeerId, type RosterDelta, rosterDelta, rosterPageEntries, rosterSnapshot } from '@peerd/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Application, Registry } from '../../src/registry/registry.ts';
import { ModelClient } from './model.ts';

const leaseMs = 30_000;
const idOf = (index: number): PeerId => `${'abcdefghijklmnopqrstuvwxyz'[index % 26]}${String.fromCharCode(97 + Math.floor(index / 26))}`.padEnd(52, 'a');
const host = (port: number): Address => ({ host: '192.0.2.1', port, kind: 'host' });
const application = (client: number, peer: number, room = 'lobby', port = 1): Application => ({
  client, id: idOf(peer), name: `peer ${peer}`, room, addresses: [host(port)], observedHost: '192.0.2.1',
});
const at = (time: number) => ({ monotonic: time, wall: 1_000_000 + time });

describe('registry', () => {
  test('the newest registration of an id wins at once, in the same room or another one', () => {
    const registry = new Registry({ maxPeers: 10, leaseMs });
    expect(registry.register(application(1, 0), at(0))).toMatchObject({ kind: 'registered', how: 'new' });
    const first = registry.find(idOf(0))?.entry.epoch ?? 0;
    expect(registry.register(application(2, 0), at(0))).toMatchObject({ how: 'superseding', superseded: 1 });
    expect(registry.find(idOf(0))).toMatchObject({ client: 2, entry: { epoch: first + 1 } });
    expect(registry.leave(1)).toBe(false);
    expect(registry.register(application(3, 0, 'elsewhere'), at(1))).toMatchObject({ how: 'superseding', superseded: 2 });
    expect([...registry.all()].map(({ room, client }) => [room, client])).toEqual([['elsewhere', 3]]);
    expect(registry.rooms).toBe(1);
  });

  test('epochs grow over a restart', () => {
    const before = new Registry({ maxPeers: 10, leaseMs });
    const after = new Registry({ maxPeers: 10, leaseMs });
    const first = before.register(application(1, 0), at(0));
    const second = after.register(application(1, 0), at(5));
    expect(first.kind === 'registered' && second.kind === 'registered' && second.epoch > first.epoch).toBe(true);
  });

  test('a full registry refuses new peers and nobody else', () => {
    const registry = new Registry({ maxPeers: 2, leaseMs });
    registry.register(application(1, 0), at(0));
    registry.register(application(2, 1), at(0));
    expect(registry.register(application(3, 2), at(0))).toEqual({ kind: 'full' });
    expect(registry.register(application(1, 0, 'lobby', 2), at(0))).toMatchObject({ how: 'update', moved: false });
    expect(registry.register(application(4, 1), at(0))).toMatchObject({ how: 'superseding' });
    expect(registry.register(application(3, 2), at(0))).toEqual({ kind: 'full' });
    registry.leave(1);
    expect(registry.register(application(3, 2), at(0))).toMatchObject({ how: 'new' });
    expect(registry.peers).toBe(2);
  });

  test('a lease lapses after the last sign of life, not before', () => {
    const registry = new Registry({ maxPeers: 10, leaseMs });
    registry.register(application(1, 0), at(0));
    registry.register(application(2, 1), at(10));
    expect(registry.nextExpiry).toBe(leaseMs);
    registry.heard(1, 20);
    expect(registry.nextExpiry).toBe(leaseMs + 10);
    expect(registry.expire(leaseMs + 9)).toEqual([]);
    expect(registry.expire(leaseMs + 10)).toEqual([2]);
    expect(registry.expire(leaseMs + 20)).toEqual([1]);
    expect([registry.peers, registry.rooms, registry.nextExpiry]).toEqual([0, 0, undefined]);
  });

  test('changes that cancel each other out are not told', () => {
    const registry = new Registry({ maxPeers: 10, leaseMs });
    registry.register(application(1, 0), at(0));
    registry.publish();
    registry.register(application(2, 1), at(0));
    registry.leave(2);
    expect(registry.dirty).toBe(false);
    expect(registry.publish()).toEqual([]);
  });

  test('a crowd is told in several deltas, each as long as an ordinary one; who leaves meanwhile is never told of', () => {
    const registry = new Registry({ maxPeers: 10_000, leaseMs });
    registry.register(application(1, 0), at(0));
    registry.publish();
    for (let index = 1; index <= 1_000; index += 1) registry.register(application(index + 1, index), at(0));
    const told = (): number => registry.publish()[0]?.deliveries.find(({ client }) => client === 1)?.delta.upserts.length ?? 0;
    const first = told();
    expect(first).toBeGreaterThan(100);
    expect(first).toBeLessThanOrEqual(rosterPageEntries);
    for (let index = 1; index <= 1_000; index += 1) registry.leave(index + 1);
    const removed = registry.publish()[0]?.deliveries[0]?.delta;
    expect([removed?.upserts.length, removed?.removes.length]).toEqual([0, first]);
    expect(registry.dirty).toBe(false);
  });

  test('many changes with the longest addresses fit into the frames', () => {
    const registry = new Registry({ maxPeers: 10_000, leaseMs });
    const long = Array.from({ length: 16 }, (_, index): Address => ({ host: `${index}`.padEnd(255, 'x'), port: 65_535, kind: 'host' }));
    const peers = 600;
    for (let index = 0; index < peers; index += 1)
      registry.register({ ...application(index + 1, index), name: 'é'.repeat(32), addresses: long, observedHost: `2001:db8::${index.toString(16)}` }, at(index));
    const reader = new ModelClient();
    for (const page of registry.snapshot(1)) reader.snapshotPage(page);
    while (registry.dirty) {
      const delta = registry.publish()[0]?.deliveries.find(({ client }) => client === 1)?.delta;
      assert(delta);
      expect(encodeMessage(rosterDelta, delta).length).toBeLessThan(65 * KiB);
      expect(delta.upserts.length).toBeLessThanOrEqual(rosterPageEntries);
      reader.delta(delta);
    }
    expect(reader.roster.size).toBe(peers - 1);
    const again = new ModelClient();
    for (const page of registry.snapshot(1)) {
      encodeMessage(rosterSnapshot, page);
      again.snapshotPage(page);
    }
    expect([...again.roster.keys()].sort()).toEqual([...reader.roster.keys()].sort());
  });
});

type Action =
  | { kind: 'register'; peer: number; room: number; port: number; fresh: boolean }
  | { kind: 'leave' | 'heard'; peer: number }
  | { kind: 'publish' | 'deliver' }
  | { kind: 'wait'; ms: number }
  | { kind: 'lose'; peer: number };

const peer = fc.nat(5);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('register' as const), peer, room: fc.nat(1), port: fc.integer({ min: 1, max: 3 }), fresh: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('leave' as const, 'heard' as const), peer }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('publish' as const, 'deliver' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(20_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), peer }) },
);

/** What a client gets, in order; `lost` deltas never arrive. */
interface Line {
  readonly model: ModelClient;
  readonly peer: number;
  readonly queue: ((model: ModelClient) => void)[];
  readonly deltas: RosterDelta[];
}

/** A registry, its clients and the truth, kept beside them in the simplest way. */
class World {
  readonly registry = new Registry({ maxPeers: 4, leaseMs });
  readonly lines = new Map<number, Line>();
  readonly truth = new Map<number, { client: number; room: string; port: number; heardAt: number }>();
  now = 0;
  lost = 0;
  #lastClient = 0;

  run(action: Action): void {
    switch (action.kind) {
      case 'register':
        return this.#register(action);
      case 'leave':
        return this.#leave(this.truth.get(action.peer)?.client);
      case 'heard': {
        const known = this.truth.get(action.peer);
        if (!known) return;
        known.heardAt = this.now;
        return this.registry.heard(known.client, this.now);
      }
      case 'wait':
        return this.#wait(action.ms);
      case 'publish':
        return this.publish();
      case 'deliver':
        return this.deliver();
      case 'lose': {
        const line = this.lines.get(this.truth.get(action.peer)?.client ?? -1);
        if (line && line.queue.length > 0) {
          line.queue.pop();
          this.lost += 1;
        }
      }
    }
  }

  publish(): void {
    for (const { deliveries } of this.registry.publish())
      for (const { client, delta } of deliveries) {
        const line = this.lines.get(client);
        assert(line);
        line.queue.push((model) => model.delta(delta));
      }
  }

  deliver(): void {
    for (const [client, line] of this.lines) {
      for (const message of line.queue.splice(0)) message(line.model);
      if (line.model.gap || line.model.version === undefined) this.#snapshot(client, line);
      assert(!line.model.roster.has(idOf(line.peer)), 'a client sees itself');
    }
  }

  /** Everything is published and arrives; a client with a gap gets its snapshot. */
  settle(): void {
    this.publish();
    this.deliver();
    this.deliver();
    // A lost last delta shows at the next one: this stands for it.
    for (const line of this.lines.values()) if (this.lost > 0) line.model.gap = true;
    this.deliver();
    this.deliver();
  }

  #register({ peer, room, port, fresh }: Extract<Action, { kind: 'register' }>): void {
    const known = this.truth.get(peer);
    const client = known && !fresh ? known.client : (this.#lastClient += 1);
    const name = `room ${room}`;
    const decision = this.registry.register(application(client, peer, name, port), at(this.now));
    if (decision.kind === 'full') {
      assert(known === undefined && this.truth.size === 4);
      return;
    }
    assert.equal(decision.superseded, known && known.client !== client ? known.client : undefined);
    if (known && known.client !== client) this.lines.delete(known.client);
    const line = this.lines.get(client) ?? { model: new ModelClient(), peer, queue: [], deltas: [] };
    this.lines.set(client, line);
    this.truth.set(peer, { client, room: name, port, heardAt: this.now });
    this.#snapshot(client, line);
  }

  #snapshot(client: number, line: Line): void {
    for (const page of this.registry.snapshot(client)) line.queue.push((model) => model.snapshotPage(page));
  }

  #leave(client: number | undefined): void {
    if (client === undefined) return;
    assert.deepEqual([this.registry.leave(client), this.registry.leave(client)], [true, false]);
    this.#forget(client);
  }

  #forget(client: number): void {
    this.lines.delete(client);
    for (const [peer, known] of this.truth) if (known.client === client) this.truth.delete(peer);
  }

  #wait(ms: number): void {
    this.now += ms;
    const lapsed = this.registry.expire(this.now);
    const expected = [...this.truth.values()].filter((known) => known.heardAt + leaseMs <= this.now).map((known) => known.client);
    assert.deepEqual(new Set(lapsed), new Set(expected));
    for (const client of lapsed) this.#forget(client);
  }
}

describe('roster', () => {
  test('any interleaving gives each client exactly the roster of its room', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const world = new World();
        for (const step of actions) world.run(step);
        world.settle();
        expect(world.registry.peers).toBe(world.truth.size);
        for (const [client, { model, peer: reader }] of world.lines) {
          const room = world.registry.registration(client)?.room;
          const seen = [...model.roster.values()].map(({ id, addresses }) => `${id} ${addresses[0]?.port ?? 0}`).sort();
          const true_ = [...world.truth].filter(([other, known]) => known.room === room && other !== reader).map(([other, known]) => `${idOf(other)} ${known.port}`);
          expect(seen).toEqual(true_.sort());
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('a lost delta shows at the next one, and a snapshot mends it', () => {
    const registry = new Registry({ maxPeers: 10, leaseMs });
    registry.register(application(1, 0), at(0));
    const reader = new ModelClient();
    for (const page of registry.snapshot(1)) reader.snapshotPage(page);
    const toReader = (): RosterDelta | undefined => registry.publish()[0]?.deliveries.find(({ client }) => client === 1)?.delta;
    const read = (delta: RosterDelta | undefined): void => (delta ? reader.delta(delta) : undefined);
    read(toReader());
    registry.register(application(2, 1), at(0));
    toReader();
    registry.register(application(3, 2), at(0));
    read(toReader());
    expect([reader.gap, reader.roster.size]).toEqual([true, 0]);
    for (const page of registry.snapshot(1)) reader.snapshotPage(page);
    expect([...reader.roster.keys()].sort()).toEqual([idOf(1), idOf(2)]);
    registry.leave(2);
    read(toReader());
    expect([...reader.roster.keys()]).toEqual([idOf(2)]);
  });
});
