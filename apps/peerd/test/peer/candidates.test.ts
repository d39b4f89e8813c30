import { expect, test } from 'vitest';
import { candidatesOf, dialable } from '../../src/peer/candidates.ts';

const at = (...hosts: string[]): { host: string; port: number }[] => hosts.map((host) => ({ host, port: 1 }));
const hosts = (endpoints: readonly { host: string }[]): string[] => endpoints.map(({ host }) => host);

test('what worked first, then the families in turns, each address once', () => {
  expect(hosts(candidatesOf(at('10.0.0.1'), at('2001:db8::1', '2001:db8::2', '10.0.0.1', '10.0.0.2')))).toEqual(['10.0.0.1', '2001:db8::1', '2001:db8::2', '10.0.0.2']);
});

test('at most 16, and many old addresses leave room for fresh ones', () => {
  const old = at(...Array.from({ length: 16 }, (_, index) => `10.0.0.${index}`));
  const all = hosts(candidatesOf(old, at('192.0.2.1')));
  expect(all).toHaveLength(16);
  expect(all.indexOf('192.0.2.1')).toBe(4);
  expect(candidatesOf([], at(...Array.from({ length: 40 }, (_, index) => `10.0.0.${index}`)))).toHaveLength(16);
});

test('nobody makes us dial our own machine, or a name', () => {
  expect(hosts(dialable(at('127.0.0.1', '::ffff:127.0.0.1', '169.254.0.1', '0.0.0.0', 'localhost', '192.0.2.1'), false))).toEqual(['192.0.2.1']);
  expect(hosts(dialable(at('127.0.0.1', '0.0.0.0', 'localhost'), true))).toEqual(['127.0.0.1']);
});
