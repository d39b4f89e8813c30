import { PeerdError } from '@peerd/protocol';
import { expect, test } from 'vitest';
import { Failures } from '../../src/peer/failures.ts';

const peer = 'k3f9'.padEnd(52, 'a');
const failed = (code: ConstructorParameters<typeof PeerdError>[0], message: string = code): PeerdError => new PeerdError(code, message);

test('the most telling cause wins', () => {
  const failures = new Failures(peer);
  failures.introduction = failed('introduction_timeout');
  failures.dial('10.0.0.1:1', failed('peer_unreachable', '10.0.0.1:1: connect ECONNREFUSED'));
  expect(failures.error().code).toBe('introduction_timeout');
  failures.dial('10.0.0.2:1', failed('not_introduced'));
  expect(failures.error()).toMatchObject({ code: 'not_introduced', hint: expect.any(String) as string });
  failures.introduction = failed('introduction_refused');
  expect(failures.error().code).toBe('introduction_refused');
  failures.dial('10.0.0.3:1', new PeerdError('wrong_key', 'other', { hint: 'compare', details: { actual: 'x' } }));
  expect(failures.error()).toMatchObject({ code: 'wrong_key', hint: 'compare', details: { actual: 'x' } });
});

test('otherwise everything that was tried is listed, escaped', () => {
  const failures = new Failures(peer);
  expect(failures.error().message).toBe('no link to k3f9aaaa came up: no address of it is known, and no rendezvous lists it');
  failures.dial('10.0.0.1:1', failed('peer_unreachable', '10.0.0.1:1: connect ECONNREFUSED'));
  failures.dial('10.0.0.2:1', failed('handshake_timeout', 'too slow\u001b[31m'));
  failures.introduction = failed('no_such_peer', 'not listed');
  expect(failures.error().message).toBe('no link to k3f9aaaa came up; tried 10.0.0.1:1: connect ECONNREFUSED; 10.0.0.2:1: too slow\\x1b[31m; introduction: not listed');
  failures.keep(['10.0.0.2:1']);
  expect(failures.error().message).not.toContain('10.0.0.1');
});

test('only the peer itself can refuse; another key counts when it is all there is', () => {
  const failures = new Failures(peer);
  failures.dial('a', failed('wrong_key'));
  expect([failures.isRefusal, failures.isWrongKey]).toEqual([false, true]);
  failures.dial('b', failed('not_introduced'));
  expect([failures.isRefusal, failures.isWrongKey]).toEqual([false, false]);
  failures.introduction = failed('introduction_refused');
  expect(failures.isRefusal).toBe(true);
});
