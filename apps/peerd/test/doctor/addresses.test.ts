import type { Address } from '@peerd/protocol';
import { PeerdError } from '@peerd/protocol';
import { describe, expect, test } from 'vitest';
import { checkAddresses, type ListeningFacts } from '../../src/doctor/addresses.ts';

const at = (host: string): Address => ({ host, port: 12_001, kind: 'host' });
const facts = (own: readonly string[], more: Partial<ListeningFacts> = {}): ListeningFacts => ({
  bound: { host: '::', port: 12_001 }, own: own.map(at), announced: own.map(at), rendezvousHosts: [], reach: async () => {}, ...more,
});
const states = async (given: ListeningFacts): Promise<Record<string, string>> => Object.fromEntries((await checkAddresses(given)).map(({ name, state }) => [name, state]));

describe('where peers connect', () => {
  test.each([
    ['a public address', facts(['192.0.2.7'], { rendezvousHosts: ['198.51.100.1'] }), 'ok'],
    ['only loopback, with a rendezvous elsewhere', facts(['127.0.0.1'], { rendezvousHosts: ['198.51.100.1'] }), 'warn'],
    ['only loopback, with a rendezvous of this machine', facts(['127.0.0.1'], { rendezvousHosts: ['127.0.0.1'] }), 'ok'],
    ['a private network, with a rendezvous outside', facts(['192.168.1.5', 'fd00::5', '127.0.0.1'], { rendezvousHosts: ['198.51.100.1'] }), 'warn'],
    ['a private network with its rendezvous', facts(['192.168.1.5'], { rendezvousHosts: ['192.168.1.1'] }), 'ok'],
  ])('candidates: %s', async (_, given, state) => expect(await states(given)).toMatchObject({ candidates: state }));

  test('listening: all, some and none of the addresses answer', async () => {
    const only = (host: string) => async (address: Address) => {
      if (address.host !== host) throw new PeerdError('wrong_key', 'another');
    };
    expect(await states(facts(['192.0.2.7', '192.0.2.8']))).toMatchObject({ listening: 'ok' });
    expect(await states(facts(['192.0.2.7', '192.0.2.8'], { reach: only('192.0.2.7') }))).toMatchObject({ listening: 'warn' });
    expect(await states(facts(['192.0.2.7', '192.0.2.8'], { reach: only('') }))).toMatchObject({ listening: 'fail' });
    expect(await states(facts([]))).toMatchObject({ listening: 'fail' });
  });

  test('a port that had to give way', async () => {
    expect(await states(facts(['192.0.2.7'], { wantedPort: 12_001 }))).not.toHaveProperty('port');
    expect(await states(facts(['192.0.2.7'], { wantedPort: 12_000 }))).toMatchObject({ port: 'warn' });
  });
});
