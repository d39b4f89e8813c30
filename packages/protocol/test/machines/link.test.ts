import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { absentLink, type LinkEvent, type LinkState, PeerdError, stepLink } from '../../src/index.ts';
import { LinkModel } from './link-model.ts';

const lost = new PeerdError('link_lost', 'gone');

/** Phases and effects as one line per event. */
const log = (selects: boolean, events: readonly LinkEvent[]): string[] => {
  let state: LinkState = absentLink(selects);
  return events.map((event) => {
    const step = stepLink(state, event);
    state = step.state;
    return [state.phase, ...step.effects.map((effect) => `${effect.kind}${'timer' in effect ? `-${effect.timer}` : ''} ${effect.connection}`)].join(', ');
  });
};
const opened = (connection: number, nonce = 'n'): LinkEvent => ({ kind: 'opened', connection, nonce });
const selected = (connection: number, order = 1): LinkEvent => ({ kind: 'selected', connection, order });
const closed = (connection: number): LinkEvent => ({ kind: 'closed', connection, reason: lost });
const timer = (name: 'heartbeat' | 'probe' | 'select', connection: number): LinkEvent => ({ kind: 'timer', timer: name, connection });

describe('the selecting side', () => {
  test('selects the first connection', () => {
    expect(log(true, [opened(1), closed(1)])).toEqual(['up, select 1, up 1, start-heartbeat 1', 'ended, down 1']);
  });

  test('keeps the old connection when it answers, and closes the duplicate', () => {
    expect(log(true, [opened(1), opened(2), { kind: 'pong', connection: 1, seq: 1 }])).toEqual([
      'up, select 1, up 1, start-heartbeat 1',
      'up, ping 1, start-probe 1',
      'up, stop-probe 1, close 2',
    ]);
  });

  test('selects the new connection when the old one is silent', () => {
    expect(log(true, [opened(1), opened(2), { kind: 'pong', connection: 1, seq: 9 }, timer('probe', 1)]).slice(2)).toEqual([
      'up',
      'up, down 1, close 1, select 2, up 2, start-heartbeat 2',
    ]);
  });

  test('takes a spare when the link breaks, and asks it while there are others', () => {
    expect(log(true, [opened(1), opened(2), opened(3), closed(1)]).at(-1)).toBe('up, down 1, select 3, up 3, start-heartbeat 3, ping 3, start-probe 3');
  });

  test('a new nonce replaces the link at once; a late hello of the old process does not', () => {
    expect(log(true, [opened(1), opened(2, 'm'), opened(3, 'n')])).toEqual([
      'up, select 1, up 1, start-heartbeat 1',
      'up, down 1, close 1, select 2, up 2, start-heartbeat 2',
      'up, close 3',
    ]);
  });

  test('nothing heard for three heartbeats ends the link, anything heard keeps it', () => {
    const beat = timer('heartbeat', 1);
    expect(log(true, [opened(1), beat, beat, { kind: 'heard', connection: 1 }, beat, beat, beat]).slice(1)).toEqual([
      'up, ping 1, start-heartbeat 1',
      'up, ping 1, start-heartbeat 1',
      'up',
      'up, ping 1, start-heartbeat 1',
      'up, ping 1, start-heartbeat 1',
      'ended, down 1, close 1',
    ]);
  });

  test('does not let itself be told', () => {
    expect(log(true, [opened(1), selected(1)]).at(-1)).toBe('ended, down 1, close 1');
  });
});

describe('the waiting side', () => {
  test('uses nothing before it was selected', () => {
    expect(log(false, [opened(1), opened(2), selected(2)])).toEqual([
      'choosing, start-select 1',
      'choosing, start-select 2',
      'up, stop-select 2, up 2, start-heartbeat 2',
    ]);
  });

  test('follows a later select and ignores an earlier one that arrives late', () => {
    expect(log(false, [opened(1), opened(2), opened(3), selected(2, 5), selected(1, 4), selected(3, 6)]).slice(4)).toEqual([
      'up',
      'up, stop-select 3, down 2, close 2, up 3, start-heartbeat 3',
    ]);
  });

  test('gives up a connection that is never selected', () => {
    expect(log(false, [opened(1), timer('select', 1)]).at(-1)).toBe('ended, close 1');
    expect(log(false, [opened(1), selected(1), opened(2), timer('select', 2)]).at(-1)).toBe('up, close 2');
  });

  test('goes back to choosing when the link breaks and a spare is there', () => {
    expect(log(false, [opened(1), opened(2), selected(1), closed(1), selected(2, 2)]).slice(3)).toEqual([
      'choosing, down 1',
      'up, stop-select 2, up 2, start-heartbeat 2',
    ]);
  });

  test('end closes everything', () => {
    expect(log(false, [opened(1), opened(2), selected(1), { kind: 'end', reason: lost }]).at(-1)).toBe('ended, down 1, close 1, close 2');
  });
});

test('four spare connections are kept, and four nonces of processes that are gone', () => {
  expect(log(true, [1, 2, 3, 4, 5, 6].map((connection) => opened(connection))).at(-1)).toBe('up, close 2');
  const restarts = ['a', 'b', 'c', 'd', 'e', 'f'].map((nonce, index) => opened(index + 1, nonce));
  expect(log(true, [...restarts, opened(7, 'b')]).at(-1)).toBe('up, close 7');
  expect(log(true, [...restarts, opened(7, 'a')]).at(-1)).toBe('up, down 6, close 6, select 7, up 7, start-heartbeat 7');
});

test('what is late, of a connection that is gone, changes nothing', () => {
  expect(log(false, [opened(1), opened(2), closed(1), selected(1)]).at(-1)).toBe('choosing');
  expect(log(false, [opened(1), timer('select', 9)]).at(-1)).toBe('choosing');
  expect(log(false, [opened(1), selected(1), timer('select', 9)]).at(-1)).toBe('up');
  expect(log(true, [opened(1), selected(9)]).at(-1)).toBe('up');
  expect(log(true, [opened(1), timer('heartbeat', 9)]).at(-1)).toBe('up');
});

type Act = readonly [kind: 'dial' | 'deliver' | 'write' | 'probe' | 'timer' | 'cut' | 'restart', side: 'low' | 'high', pick: number];

const act = (kinds: readonly Act[0][]): fc.Arbitrary<Act> =>
  fc.tuple(fc.constantFrom(...kinds), fc.constantFrom('low' as const, 'high' as const), fc.nat(1_000));

const run = (acts: readonly Act[]): LinkModel => {
  const model = new LinkModel();
  for (const [kind, name, pick] of acts) {
    const side = model.sides[name];
    const wire = model.wires[pick % Math.max(1, model.wires.length)];
    if (kind === 'dial' && model.wires.length < 6) model.dial(name);
    else if (kind === 'deliver' && wire) model.deliver(wire, name);
    else if (kind === 'write') model.write(name);
    else if (kind === 'cut' && wire) model.cut(wire);
    else if (kind === 'restart') model.restart(name);
    else if (kind === 'probe' || kind === 'timer') {
      const keys = [...side.timers.keys()].filter((key) => kind === 'timer' || key.startsWith('probe'));
      const key = keys[pick % Math.max(1, keys.length)];
      if (key !== undefined) model.fire(side, key);
    }
  }
  model.settle();
  return model;
};
const linked = (model: LinkModel) => [model.sides.low.linked, model.sides.high.linked];
const delivering = ['dial', 'deliver', 'deliver', 'deliver', 'deliver', 'write', 'probe'] as const;

describe('two machines', () => {
  test('whatever is lost, late, timed out or started anew: both agree in the end and used nothing before select', () => {
    fc.assert(
      fc.property(fc.array(act([...delivering, 'timer', 'cut', 'restart']), { maxLength: 80 }), (acts) => {
        const model = run(acts);
        expect(model.violations).toEqual([]);
        expect(linked(model)[0]).toBe(linked(model)[1]);
      }),
      { numRuns: 3_000 },
    );
  });

  test('without losses one connection is left and both use it, however slow the answers to probes are', () => {
    fc.assert(
      fc.property(fc.constantFrom('low' as const, 'high' as const), fc.array(act(delivering), { maxLength: 60 }), (dialler, acts) => {
        const model = run([['dial', dialler, 0], ...acts]);
        expect(model.violations).toEqual([]);
        const [low, high] = linked(model);
        expect(low).toBeDefined();
        expect(high).toBe(low);
        expect(model.wires.filter((wire) => wire.open.low || wire.open.high).map((wire) => wire.number)).toEqual([low]);
      }),
      { numRuns: 3_000 },
    );
  });
});
