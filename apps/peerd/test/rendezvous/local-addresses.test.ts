import type { NetworkInterfaceInfo } from 'node:os';
import { expect, test } from 'vitest';
import { localAddresses } from '../../src/rendezvous/local-addresses.ts';

const at = (...addresses: string[]): NetworkInterfaceInfo[] =>
  addresses.map((address) => ({ address, family: address.includes(':') ? 'IPv6' : 'IPv4', internal: false, mac: '', netmask: '', cidr: null, scopeid: 0 }));
const interfaces = { lo: at('127.0.0.1', '::1'), eth0: at('192.168.1.2', '203.0.113.5', '2001:db8::1', 'fe80::1', 'fd00::1'), usb0: at('169.254.3.4') };
const hosts = (host: string, local: boolean, from: NodeJS.Dict<NetworkInterfaceInfo[]> = interfaces): string[] =>
  localAddresses({ host, port: 12_001 }, local, from).map((address) => address.host);

test('an explicit address is the sole candidate, loopback too', () => {
  expect(localAddresses({ host: '127.0.0.1', port: 5 }, false, interfaces)).toEqual([{ host: '127.0.0.1', port: 5, kind: 'host' }]);
});

test('a wildcard means the interfaces, near ones last and only for who is near', () => {
  expect(hosts('::', false)).toEqual(['192.168.1.2', '2001:db8::1', '203.0.113.5', 'fd00::1']);
  expect(hosts('::', true)).toEqual(['192.168.1.2', '2001:db8::1', '203.0.113.5', 'fd00::1', '169.254.3.4', '127.0.0.1', '::1']);
  expect(hosts('0.0.0.0', true)).toEqual(['192.168.1.2', '203.0.113.5', '169.254.3.4', '127.0.0.1']);
});

test('at most 16, and both families get their share', () => {
  const many = { eth0: at(...Array.from({ length: 30 }, (_, index) => `2001:db8::${index + 1}`), '192.0.2.1') };
  expect(hosts('::', false, many)).toHaveLength(16);
  expect(hosts('::', false, many)[1]).toBe('192.0.2.1');
});
