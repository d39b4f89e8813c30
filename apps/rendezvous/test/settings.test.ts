import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSettings } from '@peerd/service';
import { expect, test } from 'vitest';
import { program, type RendezvousSettings } from '../src/settings.ts';
import { temporaryDirectory } from './support/server.ts';

const read = (argv: readonly string[], env: Record<string, string> = {}): RendezvousSettings => {
  const result = readSettings(program, { argv, env, write: () => {} });
  if (result.kind === 'help') throw new Error('help was printed');
  return result.settings;
};

test('defaults; what was not given stays open, so that a port in use may give way', () => {
  expect(read([])).toEqual({ maxPeers: 1_000, maxPendingPerAddress: 64, allowHost: [], logLevel: 'info' });
});

test('flags over environment over file over defaults', async () => {
  const config = join(await temporaryDirectory(), 'rendezvous.toml');
  await writeFile(config, 'max_peers = 5\nlisten = "[::1]:0"\nallow_host = ["a.example"]\n');
  const env = { RENDEZVOUS_MAX_PEERS: '6', RENDEZVOUS_ALLOW_HOST: 'b.example C.example' };
  expect(read(['--config', config])).toMatchObject({ maxPeers: 5, listen: { host: '::1', port: 0 }, allowHost: ['a.example'] });
  expect(read(['--config', config], env)).toMatchObject({ maxPeers: 6, allowHost: ['b.example', 'c.example'] });
  expect(read(['--config', config, '--max-peers', '7', '--allow-host', 'd', '--allow-host', 'e'], env)).toMatchObject({ maxPeers: 7, allowHost: ['d', 'e'] });
});

test('an address without a port gets the default one', () => {
  expect(read(['--listen', '10.0.0.1', '--admin', '[::1]'])).toMatchObject({ listen: { host: '10.0.0.1', port: 12_000 }, admin: { host: '::1', port: 12_080 } });
});

test.each([
  [['--max-peers', '0'], '--max-peers'],
  [['--max-peers', '1e3'], '--max-peers'],
  [['--max-pending-per-address', '-1'], '--max-pending-per-address'],
  [['--listen', 'nonsense:port'], '--listen'],
  [['--admin', '1.2.3.4:99999'], '--admin'],
  [['--log-level', 'loud'], '--log-level'],
  [['--allow-host', 'a b'], '--allow-host'],
  [['--allow-host', 'a:80'], '--allow-host'],
  [['--no-such-flag'], '--no-such-flag'],
  [['stray'], 'argument'],
])('%j is refused with its name and a hint', (argv, name) => {
  expect(() => read(argv)).toThrow(expect.objectContaining({ code: 'invalid_settings', message: expect.stringContaining(name) as string, hint: expect.any(String) as string }) as Error);
});
