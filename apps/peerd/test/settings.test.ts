import { hostname } from 'node:os';
import { PeerdError } from '@peerd/protocol';
import { readSettings } from '@peerd/service';
import { describe, expect, test } from 'vitest';
import { defaultDownloadDir, type PeerdSettings, program } from '../src/settings.ts';

const read = (...argv: string[]): PeerdSettings => {
  const result = readSettings(program, { argv, env: {}, write: () => {} });
  if (result.kind !== 'settings') throw new Error('no settings');
  return result.settings;
};

const failure = (...argv: string[]): PeerdError => {
  try {
    read(...argv);
  } catch (error) {
    if (error instanceof PeerdError) return error;
    throw error;
  }
  throw new Error('it did not fail');
};

describe('settings of peerd', () => {
  test('defaults', () => {
    expect(read()).toEqual({
      name: hostname(), rendezvous: [], room: 'lobby', afterConnect: 'stay', accept: 'ask', introductions: 'all', durability: 'transfer', spoolQuota: 10 * 1024 ** 3, onReceived: [], onReceivedTimeout: 60, notifications: 'auto', allowHost: [], logLevel: 'info',
    });
  });

  test('the whole command line of the design', () => {
    const id = 'b'.repeat(52);
    expect(
      read(
        '--name', 'nas', '--rendezvous', 'one.example', '--rendezvous', `[::1]:7#${id}`, '--listen', '0.0.0.0:0', '--control', '/c/s', '--state-dir', '/s', '--download-dir', '/d',
        '--metrics', '127.0.0.1:0', '--room', 'kitchen', '--room-secret-file', '/r', '--after-connect', 'leave', '--accept', 'auto', '--durability', 'none',
        '--introductions', 'contacts', '--spool-quota', '1.5G', '--allow-host', 'NAS.example', '--log-level', 'debug',
      ),
    ).toEqual({
      name: 'nas', rendezvous: [{ host: 'one.example', port: 12_000 }, { host: '::1', port: 7, id }], listen: { host: '0.0.0.0', port: 0 }, control: '/c/s', stateDir: '/s', downloadDir: '/d',
      metrics: { host: '127.0.0.1', port: 0 }, room: 'kitchen', roomSecretFile: '/r', afterConnect: 'leave', accept: 'auto', durability: 'none', introductions: 'contacts', spoolQuota: 1.5 * 1024 ** 3,
      onReceived: [], onReceivedTimeout: 60, notifications: 'auto', allowHost: ['nas.example'], logLevel: 'debug',
    });
  });

  test('what is wrong is named, with what to write instead', () => {
    expect(failure('--accept', 'always')).toMatchObject({ message: '--accept: "always" is not ask or auto', hint: expect.stringContaining('ask|auto') });
    expect(failure('--listen', 'a:b:c').message).toContain('--listen: "a:b:c" is not HOST:PORT');
    expect(failure('--rendezvous', 'host:1#x').message).toContain('--rendezvous: "host:1#x"');
    expect(failure('--name', '\u202e').message).toContain('--name: must be');
  });

  test('the download directory: of the service, of XDG, below HOME', () => {
    expect(defaultDownloadDir({ STATE_DIRECTORY: '/var/lib/peerd', HOME: '/h' })).toBe('/var/lib/peerd/downloads');
    expect(defaultDownloadDir({ XDG_DOWNLOAD_DIR: '/dl', HOME: '/h' })).toBe('/dl');
    expect(defaultDownloadDir({ HOME: '/h' })).toBe('/h/Downloads');
    expect(() => defaultDownloadDir({})).toThrow(/HOME is not set/);
  });
});
