import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PeerdError } from '@peerd/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { type Program, readSettings } from '../../src/index.ts';

interface Settings {
  readonly room: string;
  readonly maxPeers: number;
  readonly allowHost: readonly string[];
}

const program: Program<Settings> = {
  name: 'example',
  version: '1.2.3',
  description: 'An example.',
  environmentPrefix: 'EXAMPLE',
  epilogue: 'Examples:\n  example --room kitchen',
  options: [
    { key: 'room', value: 'ROOM', description: 'the room' },
    { key: 'maxPeers', value: 'N', description: 'how many' },
    { key: 'allowHost', value: 'NAME', description: 'who', repeatable: true },
  ],
  schema: z.object({
    room: z.string().min(2, 'must have 2 characters').default('lobby'),
    maxPeers: z.string().regex(/^\d+$/, 'must be a number').transform(Number).default(7),
    allowHost: z.array(z.string()).default([]),
  }),
};

const temporary = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'peerd-settings-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
};

const read = (argv: readonly string[], env: Record<string, string> = {}): Settings => {
  const result = readSettings(program, { argv, env, write: () => expect.unreachable() });
  if (result.kind !== 'settings') throw new Error('no settings');
  return result.settings;
};

const failure = (argv: readonly string[], env: Record<string, string> = {}): PeerdError => {
  try {
    read(argv, env);
  } catch (error) {
    if (error instanceof PeerdError) return error;
    throw error;
  }
  throw new Error('it did not fail');
};

describe('settings', () => {
  test('flags over environment over file over defaults', async () => {
    const file = join(await temporary(), 'x.toml');
    await writeFile(file, 'room = "file"\nmax_peers = 1\nallow_host = ["f1", "f2"]\n');
    expect(read([])).toEqual({ room: 'lobby', maxPeers: 7, allowHost: [] });
    expect(read(['--config', file])).toEqual({ room: 'file', maxPeers: 1, allowHost: ['f1', 'f2'] });
    const env = { EXAMPLE_CONFIG: file, EXAMPLE_MAX_PEERS: '2', EXAMPLE_ALLOW_HOST: ' e1  e2 ' };
    expect(read([], env)).toEqual({ room: 'file', maxPeers: 2, allowHost: ['e1', 'e2'] });
    expect(read(['--max-peers', '3', '--allow-host', 'a', '--allow-host=b'], env)).toEqual({ room: 'file', maxPeers: 3, allowHost: ['a', 'b'] });
  });

  test('an empty variable is none', () => {
    expect(read([], { EXAMPLE_ROOM: '' }).room).toBe('lobby');
  });

  test('the usual file is read where it exists: of systemd, else of XDG', async () => {
    const directory = await temporary();
    await mkdir(join(directory, 'peerd'));
    await writeFile(join(directory, 'example.toml'), 'room = "systemd"');
    await writeFile(join(directory, 'peerd', 'example.toml'), 'room = "xdg"');
    expect(read([], { XDG_CONFIG_HOME: directory }).room).toBe('xdg');
    expect(read([], { XDG_CONFIG_HOME: directory, CONFIGURATION_DIRECTORY: `${directory}:/other` }).room).toBe('systemd');
    expect(read([], { HOME: directory }).room).toBe('lobby');
  });

  test('a wrong value names where it came from and what to write', async () => {
    const file = join(await temporary(), 'x.toml');
    await writeFile(file, 'max_peers = "many"\n');
    expect(failure(['--max-peers', 'many'])).toMatchObject({ code: 'invalid_settings', exitCode: 2, message: '--max-peers: must be a number', hint: 'Write N: how many' });
    expect(failure([], { EXAMPLE_MAX_PEERS: 'many' }).message).toBe('EXAMPLE_MAX_PEERS: must be a number');
    expect(failure(['--config', file]).message).toBe(`max_peers in ${file}: must be a number`);
    // The one that counts is named, not the one that it hides.
    expect(failure(['--config', file, '--max-peers', 'x']).message).toBe('--max-peers: must be a number');
  });

  test('an unknown key of the file is named, with those that exist', async () => {
    const file = join(await temporary(), 'x.toml');
    await writeFile(file, 'romm = "x"\n');
    expect(failure(['--config', file])).toMatchObject({ message: `${file}: romm is no setting`, hint: 'Settings are: room, max_peers, allow_host.' });
  });

  test('a file that is no TOML or cannot be read is an error; a usual file that is missing is not', async () => {
    const file = join(await temporary(), 'x.toml');
    expect(failure(['--config', file]).message).toContain('cannot read');
    await writeFile(file, 'room = \n');
    expect(failure(['--config', file]).message).toContain('is not valid TOML');
  });

  test('an unknown flag and a stray argument are errors with a hint', () => {
    for (const argv of [['--rom', 'x'], ['stray'], ['--room']]) expect(failure(argv)).toMatchObject({ code: 'invalid_settings', hint: 'example --help lists the settings.' });
  });

  test('--help shows every option, where else it may stand, and the examples; --version the version', () => {
    const printed = (flag: string): string => {
      let text = '';
      expect(readSettings(program, { argv: [flag], env: {}, write: (part) => (text += part) })).toEqual({ kind: 'help' });
      return text;
    };
    const help = printed('--help');
    for (const part of ['An example.', '--room <ROOM>', '--max-peers <N>', '--allow-host <NAME>', '--config <FILE>', 'example --room kitchen']) expect(help).toContain(part);
    expect(printed('--version')).toBe('1.2.3\n');
  });
});
