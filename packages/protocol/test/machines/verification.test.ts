import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  idleVerification, stepVerification, type VerificationEffect, type VerificationEnd, type VerificationEvent, type VerificationState, type VerifyMessage, verifyCommitment,
} from '../../src/index.ts';

const ids = ['a'.repeat(52), 'b'.repeat(52)] as const;
const bytes = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);

/** One end, with what left it and what its person saw. */
class End {
  readonly self: string;
  readonly peer: string;
  keyingMaterial = bytes(7);
  state: VerificationState = idleVerification;
  readonly outbox: VerifyMessage[] = [];
  readonly seen: Exclude<VerificationEffect, { kind: 'send' }>[] = [];
  #nonce: number;

  constructor(index: 0 | 1) {
    this.self = ids[index];
    this.peer = ids[1 - index] ?? '';
    this.#nonce = index * 100;
  }

  take(event: VerificationEvent): void {
    const { state, effects } = stepVerification(this.state, event, this);
    this.state = state;
    for (const effect of effects) {
      if (effect.kind === 'send') this.outbox.push(effect.message);
      else this.seen.push(effect);
    }
  }

  start(): void {
    this.take({ kind: 'start', nonce: bytes((this.#nonce += 1)) });
  }

  hear(message: VerifyMessage): void {
    this.take({ kind: 'message', message });
  }

  get ends(): VerificationEnd[] {
    return this.seen.flatMap((effect) => (effect.kind === 'ended' ? [effect.end] : []));
  }

  get code(): string | undefined {
    return this.state.phase === 'comparing' ? this.state.code : undefined;
  }

  get isAsked(): boolean {
    return this.seen.findLast((effect) => effect.kind === 'asked')?.waiting ?? false;
  }
}

const pair = (): [End, End] => [new End(0), new End(1)];

/** Everything that is under way arrives. */
const settle = (one: End, other: End): void => {
  for (let moved = true; moved; ) {
    const [fromOne, fromOther] = [one.outbox.shift(), other.outbox.shift()];
    if (fromOne) other.hear(fromOne);
    if (fromOther) one.hear(fromOther);
    moved = fromOne !== undefined || fromOther !== undefined;
  }
};

const comparing = (): [End, End] => {
  const [one, other] = pair();
  one.start();
  settle(one, other);
  other.start();
  settle(one, other);
  return [one, other];
};

describe('two ends', () => {
  test('one after the other: asked, the same code, both say yes', () => {
    const [one, other] = pair();
    one.start();
    settle(one, other);
    expect([one.state.phase, other.isAsked]).toEqual(['committed', true]);
    other.start();
    settle(one, other);
    expect(one.code).toBe(other.code);
    expect(one.code).toBeDefined();
    one.take({ kind: 'answer', same: true });
    settle(one, other);
    expect([one.ends, other.ends]).toEqual([[], []]);
    other.take({ kind: 'answer', same: true });
    settle(one, other);
    expect([one.ends, other.ends, one.state, other.state]).toEqual([['verified'], ['verified'], idleVerification, idleVerification]);
  });

  test('at the same moment', () => {
    const [one, other] = pair();
    one.start();
    other.start();
    settle(one, other);
    expect(one.code).toBe(other.code);
    for (const end of [one, other]) end.take({ kind: 'answer', same: true });
    settle(one, other);
    expect([one.ends, other.ends]).toEqual([['verified'], ['verified']]);
  });

  test('two connections: two codes', () => {
    const [one, other] = pair();
    other.keyingMaterial = bytes(8);
    one.start();
    other.start();
    settle(one, other);
    expect(one.code).toBeDefined();
    expect(one.code).not.toBe(other.code);
  });

  test('one no is a mismatch at both, also when the other has said yes', () => {
    const [one, other] = comparing();
    one.take({ kind: 'answer', same: true });
    other.take({ kind: 'answer', same: false });
    settle(one, other);
    expect([one.ends, other.ends]).toEqual([['mismatch'], ['mismatch']]);
  });

  test.each(['cancelled', 'timeout'] as const)('%s ends both', (end) => {
    const [one, other] = comparing();
    one.take({ kind: 'stop', end });
    settle(one, other);
    expect([one.ends, other.ends]).toEqual([[end], ['cancelled']]);
  });

  test('one that gives up before the other has begun is no longer waiting', () => {
    const [one, other] = pair();
    one.start();
    settle(one, other);
    one.take({ kind: 'stop', end: 'cancelled' });
    settle(one, other);
    expect([other.isAsked, other.ends, one.ends]).toEqual([false, [], ['cancelled']]);
  });

  test('a lost link ends both; a waiting one is withdrawn', () => {
    const [one, other] = comparing();
    for (const end of [one, other]) end.take({ kind: 'lost' });
    expect([one.ends, other.ends]).toEqual([['lost'], ['lost']]);
    const [asking, asked] = pair();
    asking.start();
    settle(asking, asked);
    asked.take({ kind: 'lost' });
    expect(asked.isAsked).toBe(false);
  });
});

describe('any two honest ends, whatever their persons do and however messages are delayed', () => {
  type Act = { end: 0 | 1; act: 'start' | 'yes' | 'no' | 'cancel' | 'timeout' | 'deliver' } | { act: 'lost' };
  const act: fc.Arbitrary<Act> = fc.oneof(
    { weight: 30, arbitrary: fc.record({ end: fc.constantFrom(0, 1), act: fc.constantFrom('deliver', 'deliver', 'deliver', 'start', 'start', 'yes', 'yes', 'no', 'cancel', 'timeout') }) as fc.Arbitrary<Act> },
    { weight: 1, arbitrary: fc.constant({ act: 'lost' as const }) },
  );

  test('verified needs both yes to one code; nobody is broken; nothing waits for nobody', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const ends = pair();
        const [one, other] = ends;
        /** What each person has said yes to. */
        const agreed: [Set<string>, Set<string>] = [new Set(), new Set()];
        for (const step of acts) {
          if (step.act === 'lost') {
            for (const end of ends) {
              end.outbox.length = 0;
              end.take({ kind: 'lost' });
            }
            continue;
          }
          const end = ends[step.end];
          const peer = ends[1 - step.end] ?? end;
          const before = end.code;
          if (step.act === 'start') end.start();
          else if (step.act === 'deliver') {
            const message = peer.outbox.shift();
            if (message) end.hear(message);
          } else if (step.act === 'yes' || step.act === 'no') {
            if (step.act === 'yes' && end.code !== undefined) agreed[step.end].add(end.code);
            end.take({ kind: 'answer', same: step.act === 'yes' });
          } else end.take({ kind: 'stop', end: step.act === 'cancel' ? 'cancelled' : 'timeout' });
          if (end.ends.at(-1) === 'verified' && end.state.phase === 'idle' && before !== undefined && end.seen.at(-1)?.kind === 'ended') {
            expect(agreed[0].has(before)).toBe(true);
            expect(agreed[1].has(before)).toBe(true);
          }
          expect(end.ends).not.toContain('broken');
        }
        settle(one, other);
        expect([...one.ends, ...other.ends]).not.toContain('broken');
        // Once all has arrived, both are at the same point.
        if (one.code !== undefined || other.code !== undefined) expect(one.code).toBe(other.code);
        expect([one.state.phase, other.state.phase]).not.toContain('revealed');
        for (const [end, peer] of [[one, other], [other, one]] as const) expect(end.isAsked).toBe(peer.state.phase === 'committed');
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('a hostile other side', () => {
  const commit = (nonce: Uint8Array): VerifyMessage => ({ kind: 'verify-commit', body: { commitment: verifyCommitment(ids[1], nonce) } });
  const ours = (end: End): Uint8Array => (end.state.phase === 'idle' ? bytes(0) : end.state.ours);
  const reveal = (end: End, nonce: Uint8Array): VerifyMessage => ({ kind: 'verify-reveal', body: { nonce, to: ours(end) } });

  const begun = (): End => {
    const end = new End(0);
    end.start();
    end.hear(commit(bytes(50)));
    expect(end.state.phase).toBe('revealed');
    return end;
  };

  test('our nonce does not leave before theirs is committed', () => {
    const end = new End(0);
    end.start();
    expect(end.outbox.map(({ kind }) => kind)).toEqual(['verify-commit']);
    end.hear(reveal(end, bytes(50)));
    expect([end.ends, end.outbox.map(({ kind }) => kind)]).toEqual([['broken'], ['verify-commit', 'verify-cancel']]);
  });

  test('another nonce than the committed one', () => {
    const end = begun();
    end.hear(reveal(end, bytes(51)));
    expect([end.ends, end.code]).toEqual([['broken'], undefined]);
  });

  test('another commitment after our nonce is out', () => {
    const end = begun();
    end.hear(commit(bytes(51)));
    expect(end.ends).toEqual(['broken']);
  });

  test('our own commitment sent back', () => {
    const end = new End(0);
    end.start();
    end.hear({ kind: 'verify-commit', body: { commitment: ours(end) } });
    end.hear(reveal(end, bytes(1)));
    expect(end.ends).toEqual(['broken']);
  });

  test('a yes before anybody could compare', () => {
    const end = begun();
    end.hear({ kind: 'verify-confirm', body: { to: ours(end), same: true } });
    expect(end.ends).toEqual(['broken']);
  });

  test('what belongs to another attempt changes nothing, and is told to be over', () => {
    const end = begun();
    const before = end.state;
    end.outbox.length = 0;
    end.hear({ kind: 'verify-reveal', body: { nonce: bytes(50), to: bytes(9) } });
    end.hear({ kind: 'verify-confirm', body: { to: bytes(9), same: false } });
    end.hear({ kind: 'verify-cancel', body: { commitment: bytes(9) } });
    expect([end.state, end.ends]).toEqual([before, []]);
    const over = { kind: 'verify-cancel', body: { commitment: bytes(9) } };
    expect(end.outbox).toEqual([over, over]);
  });

  test('the nonce a second time changes nothing', () => {
    const end = begun();
    const again = reveal(end, bytes(50));
    end.hear(again);
    const { code } = end;
    end.hear(again);
    expect([end.code, end.ends]).toEqual([code, []]);
  });

  test('whatever it sends, nothing is verified without our yes, and no code is of an uncommitted nonce', () => {
    const message: fc.Arbitrary<(end: End) => VerifyMessage> = fc.oneof(
      fc.nat(3).map((fill) => () => commit(bytes(fill))),
      fc.nat(3).map((fill) => (end: End) => reveal(end, bytes(fill))),
      fc.boolean().map((same) => (end: End) => ({ kind: 'verify-confirm' as const, body: { to: ours(end), same } })),
      fc.nat(3).map((fill) => () => ({ kind: 'verify-cancel' as const, body: { commitment: verifyCommitment(ids[1], bytes(fill)) } })),
      fc.constant((end: End) => ({ kind: 'verify-commit' as const, body: { commitment: ours(end) } })),
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(message, fc.constant('start' as const)), { maxLength: 30 }), (steps) => {
        const end = new End(0);
        for (const step of steps) {
          if (step === 'start') end.start();
          else end.hear(step(end));
        }
        expect(end.ends).not.toContain('verified');
      }),
      { numRuns: 2_000 },
    );
  });
});
