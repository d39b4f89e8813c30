import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CountEffect, type CountEvent, type CountState, countStep, mostConnections, oneConnection } from '../../src/transfer/connection-count.ts';

interface Way {
  /** Bytes per second of each connection, and of all together. */
  readonly each: number;
  readonly all: number;
  readonly blocked: number;
  /** Noise of a sample: ±share. */
  readonly noise: number;
}

/** A transfer over that way, sample by sample; what the machine wants is done at once. */
const travel = (way: Way, samples: number, random: () => number, most = mostConnections) => {
  let state: CountState = oneConnection;
  const effects: CountEffect[] = [];
  const open: number[] = [];
  const step = (event: CountEvent): void => {
    const next = countStep(state, event, most);
    state = next.state;
    if (next.effect === undefined) return;
    effects.push(next.effect);
    if (next.effect === 'open') step({ type: 'opened' });
  };
  for (let count = 0; count < samples; count += 1) {
    step({ type: 'sample', bytesPerSecond: Math.min(way.all, state.open * way.each) * (1 + way.noise * (2 * random() - 1)), blocked: way.blocked });
    open.push(state.open);
  }
  return { state, effects, open };
};

const calm = (): number => 0.5;

describe('number of data connections', () => {
  test('where each connection is capped, it comes to as many as make the way full, and stays there', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e5, max: 2e7, noNaN: true }), fc.integer({ min: 1, max: 12 }), (each, useful) => {
        const { open, effects } = travel({ each, all: each * useful, blocked: 0.9, noise: 0 }, 200, calm);
        const kept = Math.min(mostConnections, useful);
        expect(Math.min(...open.slice(40))).toBe(kept);
        expect(Math.max(...open)).toBe(Math.min(mostConnections, kept + 1));
        expect(effects.filter((effect) => effect === 'close').length).toBeLessThanOrEqual(6);
      }),
    );
  });

  test('where one connection has the whole way, others are tried ever more seldom', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (noise) => {
        const { open, effects } = travel({ each: 1e8, all: 1e8, blocked: 1, noise: 0.05 }, 400, () => noise.next().value ?? 0);
        expect(effects.filter((effect) => effect === 'open').length).toBeLessThanOrEqual(7);
        expect(open.filter((count) => count > 1).length).toBeLessThanOrEqual(2 * 7);
        expect(Math.max(...open)).toBe(2);
      }),
    );
  });

  test.each([
    ['connections that are not full', { each: 1e7, all: 1e9, blocked: 0.4, noise: 0 }],
    ['connections that are as fast as a thread encrypts', { each: 5e8, all: 1e10, blocked: 1, noise: 0 }],
    ['a flow that is not steady', { each: 1e7, all: 1e9, blocked: 1, noise: 0.9 }],
  ])('nothing is tried with %s', (_name, way) => {
    let turn = 0;
    expect(travel(way, 100, () => (turn += 1) % 2).effects).toEqual([]);
  });

  test('never more than the receiver takes; a receiver that says nothing takes one', () => {
    const way = { each: 1e6, all: 1e9, blocked: 1, noise: 0 };
    expect(travel(way, 100, calm, 1).effects).toEqual([]);
    expect(Math.max(...travel(way, 100, calm, 3).open)).toBe(3);
    expect(Math.max(...travel(way, 100, calm, 1_000).open)).toBe(mostConnections);
  });

  test('one that does not come up is tried again later, ever more seldom', () => {
    let state: CountState = oneConnection;
    let tries = 0;
    for (let count = 0; count < 300; count += 1) {
      const next = countStep(state, { type: 'sample', bytesPerSecond: 1e6, blocked: 1 }, 8);
      state = next.effect === 'open' ? countStep(next.state, { type: 'refused' }, 8).state : next.state;
      if (next.effect === 'open') tries += 1;
    }
    expect([tries, state.open]).toEqual([6, 1]);
  });

  test('whatever comes in whatever order, what is open is what was opened and not closed, from one to the most', () => {
    const sample = fc.record({ type: fc.constant('sample' as const), bytesPerSecond: fc.double({ min: 0, max: 1e9, noNaN: true }), blocked: fc.double({ min: 0, max: 1, noNaN: true }) });
    const event: fc.Arbitrary<CountEvent> = fc.oneof({ weight: 5, arbitrary: sample }, fc.constantFrom<CountEvent>({ type: 'opened' }, { type: 'refused' }));
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), fc.integer({ min: 1, max: 10 }), (events, most) => {
        let state: CountState = oneConnection;
        let [asked, open] = [false, 1];
        for (const next of events) {
          const step = countStep(state, next, most);
          if (next.type === 'opened' && asked) open += 1;
          if (next.type !== 'sample') asked = false;
          if (step.effect === 'open') {
            expect(asked).toBe(false);
            asked = true;
          }
          if (step.effect === 'close') open -= 1;
          state = step.state;
          expect(state.open).toBe(open);
          expect(open).toBeGreaterThanOrEqual(1);
          expect(open).toBeLessThanOrEqual(Math.min(most, mostConnections));
        }
      }),
    );
  });
});
