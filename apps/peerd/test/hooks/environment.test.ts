import { expect, test } from 'vitest';
import { inheritedEnvironment, type Received, receivedEnvironment } from '../../src/hooks/environment.ts';

const received = (more: Partial<Received> = {}): Received => ({
  id: '01kagtm5000000000000000001', peer: 'b'.repeat(52), peerName: 'bob', state: 'done', destination: '/srv/in', savedAs: [Buffer.from('a (1).txt'), Buffer.alloc(0), Buffer.from('b\n"c\u009b\u202e')], entries: 3, bytes: 12, note: 'for\u001b you', ...more,
});

test('what the program is told', () => {
  const { PEERD_SAVED_AS_JSON = '', ...others } = receivedEnvironment(received(), 'b\u202eob', '/run/s');
  expect(others).toEqual({
    PEERD_EVENT: 'received', PEERD_STATE: 'done', PEERD_TRANSFER_ID: '01kagtm5000000000000000001', PEERD_PEER_ID: 'b'.repeat(52), PEERD_PEER_NAME: 'b\\u{202e}ob', PEERD_NOTE: 'for\\x1b you',
    PEERD_DIRECTORY: '/srv/in', PEERD_ENTRIES: '3', PEERD_BYTES: '12', PEERD_SAVED_AS_LEFT_OUT: '0', PEERD_CONTROL: '/run/s',
  });
  expect(PEERD_SAVED_AS_JSON).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(JSON.parse(PEERD_SAVED_AS_JSON)).toEqual([{ path: '/srv/in/a (1).txt' }, { path: '/srv/in/b\n"c\u009b\u202e' }]);
});

test('names that are no text, and more names than the kernel takes', () => {
  const { PEERD_SAVED_AS_JSON = '' } = receivedEnvironment(received({ savedAs: [Buffer.from([0x61, 0xe9])] }), '', '');
  expect(JSON.parse(PEERD_SAVED_AS_JSON)).toEqual([{ path: '/srv/in/a\u{fffd}', pathBase64: Buffer.from('/srv/in/a\xe9', 'latin1').toString('base64') }]);
  const many = receivedEnvironment(received({ state: 'failed', savedAs: Array.from({ length: 1_000 }, (_, index) => Buffer.from(`${index}`.padStart(255, 'x'))) }), '', '');
  const listed = JSON.parse(many['PEERD_SAVED_AS_JSON'] ?? '') as unknown[];
  expect(many['PEERD_SAVED_AS_JSON']?.length).toBeLessThan(64 * 1_024);
  expect(listed.length + Number(many['PEERD_SAVED_AS_LEFT_OUT'])).toBe(1_000);
  expect(many['PEERD_STATE']).toBe('partial');
});

test('settings of peerd and what systemd means for peerd alone are not handed on', () => {
  expect(inheritedEnvironment({ PATH: '/bin', HOME: '/h', PEERD_ROOM: 'x', NOTIFY_SOCKET: '/s', LISTEN_FDS: '1', NODE_OPTIONS: 'x', WATCHDOG_USEC: '1' })).toEqual({ PATH: '/bin', HOME: '/h' });
});
