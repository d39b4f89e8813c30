import assert from 'node:assert/strict';
import { absentLink, type LinkEvent, type LinkTimer, PeerdError, stepLink } from '@peerd/protocol';
import type { FuzzTarget } from '../engine/target.ts';
import { Choices, walk } from './support.ts';

const reason = new PeerdError('link_lost', 'fuzz');
const timers: readonly LinkTimer[] = ['heartbeat', 'probe', 'select'];

const event = (choices: Choices, connection: number, last: number): LinkEvent => {
  switch (choices.below(7)) {
    case 0:
    case 1:
      return { kind: 'opened', connection: last, nonce: `n${choices.below(3)}` };
    case 2:
      return { kind: 'selected', connection, order: choices.below(256) };
    case 3:
      return choices.flag() ? { kind: 'heard', connection } : { kind: 'pong', connection, seq: choices.below(8) };
    case 4:
      return { kind: 'closed', connection, reason };
    case 5:
      return { kind: 'timer', timer: choices.pick(timers), connection };
    default:
      return choices.below(4) === 0 ? { kind: 'end', reason } : { kind: 'heard', connection };
  }
};

/** Two connections at most bear the link one after the other, and whoever was told `up` is told `down`. */
export const linkMachine: FuzzTarget = {
  name: 'machine-link',
  seeds: [Buffer.of(1, 0, 0, 0, 0, 0, 3, 1, 1), Buffer.of(0, 0, 0, 2, 0, 5, 0, 0, 1, 4, 0), walk(120)],
  maxBytes: 512,
  run: (input) => {
    const choices = new Choices(input);
    let state = absentLink(choices.flag());
    let up: number | undefined;
    const open = new Set<number>();
    for (let last = 1; !choices.isOver; last += 1) {
      // Any that was ever there: what is said of one that is gone must change nothing.
      const what = event(choices, 1 + choices.below(Math.min(250, last)), last);
      if (what.kind === 'opened') open.add(last);
      const before = state;
      const isForeign = 'connection' in what && !open.has(what.connection);
      if (what.kind === 'closed') open.delete(what.connection);
      const { state: next, effects } = stepLink(state, what);
      state = next;
      if (isForeign && what.kind !== 'timer') assert(effects.every(({ kind }) => kind !== 'up' && kind !== 'down'), `a connection that is gone changed the link: ${what.kind}`);
      for (const effect of effects) {
        switch (effect.kind) {
          case 'up':
            assert.equal(up, undefined, 'up twice');
            assert(open.has(effect.connection), 'a closed connection is the link');
            up = effect.connection;
            break;
          case 'down':
            assert.equal(effect.connection, up, 'down without up');
            up = undefined;
            break;
          case 'close':
            assert(open.delete(effect.connection), 'closed what is not open');
            break;
          case 'select':
            assert(state.selects, 'select said by the side that waits');
            break;
          case 'ping':
            assert(open.has(effect.connection), 'ping on a closed connection');
        }
      }
      const held = state.phase === 'up' ? [state.current, ...state.waiting] : state.phase === 'choosing' ? state.waiting : [];
      assert.equal(up, state.phase === 'up' ? state.current : undefined);
      assert(held.length <= 5 && new Set(held).size === held.length, 'too many connections, or one twice');
      assert.deepEqual(new Set(held), open, `connections are forgotten, or kept after they ended: ${before.phase} ${what.kind}`);
      assert(!('retired' in state) || state.retired.length <= 4);
    }
  },
};
