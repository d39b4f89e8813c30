import { expect, test } from 'vitest';
import { Admission } from '../../src/peer/admission.ts';

const nobody = { isContact: () => false, isBlocked: () => false, hasUnfinishedTransfer: () => false };
const code = (admission: Admission, peer: string): string | undefined => admission.refusal(peer)?.code;

test('an introduction lets its peer in until it lapses, or the peer has forgotten it', () => {
  const admission = new Admission(nobody, 60_000, () => false);
  expect(code(admission, 'bob')).toBe('not_introduced');
  admission.introduced('bob');
  expect(code(admission, 'bob')).toBeUndefined();
  admission.forget('bob');
  expect(code(admission, 'bob')).toBe('not_introduced');
  const short = new Admission(nobody, 0, () => false);
  short.introduced('bob');
  expect(code(short, 'bob')).toBe('not_introduced');
});

test('contacts, peers of unfinished transfers and those that we look for are welcome, unless they are blocked', () => {
  const reasons = [{ isContact: () => true }, { hasUnfinishedTransfer: () => true }, {}];
  for (const [index, reason] of reasons.entries()) {
    const isWanted = (): boolean => index === 2;
    expect(code(new Admission({ ...nobody, ...reason }, 0, isWanted), 'bob')).toBeUndefined();
    expect(code(new Admission({ ...nobody, ...reason, isBlocked: () => true }, 0, isWanted), 'bob')).toBe('not_introduced');
  }
});

test('4,096 introductions are remembered; over that the oldest is forgotten', () => {
  const admission = new Admission(nobody, 60_000, () => false);
  for (let index = 0; index <= 4_096; index += 1) admission.introduced(`peer${index}`);
  expect([code(admission, 'peer0'), code(admission, 'peer1'), code(admission, 'peer4096')]).toEqual(['not_introduced', undefined, undefined]);
});
