/** Who speaks in the recorded conversations: their keys are made of fixed seeds, so that a test can be any of them. */
import { createPrivateKey } from 'node:crypto';
import { mkdir, mkdtemp, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, readSettings } from '@peerd/service';
import { createDaemon, type PeerDaemon } from '../../src/daemon.ts';
import { program } from '../../src/settings.ts';

/** PKCS #8 of an Ed25519 key (RFC 8410 §7), up to its 32 bytes. */
const keyPrefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Anybody can have these keys: they are for tests only. */
export const writeKey = async (stateDir: string, seed: number): Promise<void> => {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const key = createPrivateKey({ key: Buffer.concat([keyPrefix, Buffer.alloc(32, seed)]), format: 'der', type: 'pkcs8' });
  await writeFile(join(stateDir, 'identity.key'), key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
};

export const seeds = { sender: 1, receiver: 2, rendezvous: 3, other: 4 } as const;

export const startPeer = async (directory: string, who: 'sender' | 'receiver' | 'other', args: readonly string[] = []): Promise<PeerDaemon> => {
  const home = join(directory, who);
  await writeKey(join(home, 'state'), seeds[who]);
  const argv = ['--name', who, '--state-dir', join(home, 'state'), '--control', join(home, 's'), '--download-dir', join(home, 'in'), '--metrics', '127.0.0.1:0', '--listen', '127.0.0.1:0', '--accept', 'auto', ...args];
  const result = readSettings(program, { argv, env: {}, write: () => {} });
  if (result.kind !== 'settings') throw new Error('no settings');
  return createDaemon(result.settings, { logger: createLogger('skew', 'silent'), env: {}, onFatal: (reason) => { throw reason; } });
};

export const temporary = (): Promise<string> => mkdtemp(join(tmpdir(), 'pe-skew-'));

/** One file of each way to travel: packed, in chunks, as holes, and without content. */
export const contents: Readonly<Record<string, Buffer>> = {
  'chunks.bin': Buffer.alloc(1_200_000, 'chunk '),
  'empty': Buffer.alloc(0),
  'small.txt': Buffer.from('a small file\n'),
  'zeros.img': Buffer.alloc(2 * 1_048_576),
};

/** The same at each time, so that its manifest is too. */
export const writeSource = async (directory: string): Promise<string> => {
  const source = join(directory, 'things');
  await mkdir(source, { mode: 0o755 });
  for (const [name, content] of Object.entries(contents)) {
    await writeFile(join(source, name), content, { mode: 0o644 });
    await utimes(join(source, name), 1_700_000_000, 1_700_000_000);
  }
  await utimes(source, 1_700_000_000, 1_700_000_000);
  return source;
};
