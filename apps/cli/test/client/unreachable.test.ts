import { PeerdError } from '@peerd/protocol';
import { expect, test } from 'vitest';
import { unreachable } from '../../src/client/unreachable.ts';

const failed = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

test.each([
  ['ENOENT', /no such socket/, /Start peerd/],
  ['ECONNREFUSED', /nobody listens there/, /Start peerd/],
  ['EACCES', /may not be opened by this user/, /group peerd/],
  ['EAGAIN', /takes no more connections/, /log/],
  ['ECONNRESET', /stopped before it had answered/, /peerctl status/],
  ['HPE_INVALID_CONSTANT', /not peerd's control interface/, /--socket/],
  ['EWHATEVER', /connect EWHATEVER/, /Start peerd/],
])('%s is daemon_unreachable, with what to do', (code, message, hint) => {
  const error = unreachable('/run/peerd.sock', failed(code));
  expect(error).toMatchObject({ code: 'daemon_unreachable', exitCode: 3 });
  expect(error.message).toMatch(message);
  expect(error.hint).toMatch(hint);
});

test('an error that has a code already stays as it is', () => {
  const error = new PeerdError('internal', 'too large');
  expect(unreachable('/x', error)).toBe(error);
});

test('the path is escaped', () => {
  expect(unreachable('/tmp/a\u001b[2J.sock', failed('ENOENT')).message).toContain('/tmp/a\\x1b[2J.sock');
});
