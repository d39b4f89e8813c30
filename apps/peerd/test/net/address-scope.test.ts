import { describe, expect, test } from 'vitest';
import { addressScope, mayDial } from '../../src/net/address-scope.ts';

describe('addressScope', () => {
  test.each([
    ['127.0.0.1', 'loopback'],
    ['127.9.9.9', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['169.254.1.2', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['0.0.0.0', 'unusable'],
    ['::', 'unusable'],
    ['::ffff:0.0.0.0', 'unusable'],
    ['255.255.255.255', 'unusable'],
    ['ff02::1', 'unusable'],
    ['192.168.1.2', 'routable'],
    ['10.0.0.1', 'routable'],
    ['2001:db8::1', 'routable'],
    ['fd00::1', 'routable'],
    ['localhost', 'name'],
    ['', 'name'],
    ['fe80::1%eth0\u001b[2J', 'name'],
    ['2001:db8::1%any text', 'name'],
  ])('%s is %s', (host, scope) => expect(addressScope(host)).toBe(scope));

  test('only routable literals of others are dialled, local ones if they were told locally', () => {
    expect(['192.0.2.1', '127.0.0.1', 'fe80::1', '0.0.0.0', 'router.lan'].map((host) => [mayDial(host, false), mayDial(host, true)])).toEqual([
      [true, true],
      [false, true],
      [false, true],
      [false, false],
      [false, false],
    ]);
  });
});
