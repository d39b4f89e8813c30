/** What the demo and the development world share: four peers under ./testing, and a way to show commands. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { programs } from '../harness/process.ts';
import { type Peer, World } from '../harness/world.ts';

export const names = ['alice', 'bob', 'carol', 'dave'] as const;
export type Peers = Record<(typeof names)[number], Peer>;

const testing = fileURLToPath(new URL('../../testing', import.meta.url));
const marker = '.made-by-peerd-demo';
const paint = (code: number, text: string): string => (process.stdout.isTTY && !process.env['NO_COLOR'] ? `\u001b[${code}m${text}\u001b[0m` : text);

export const title = (text: string): void => console.log(`\n${paint(1, `── ${text}`)}`);
export const say = (text: string): void => console.log(text);

/** An empty ./testing. What somebody else put there is never removed. */
const emptyStage = async (): Promise<string> => {
  const made = await access(join(testing, marker)).then(() => true, () => false);
  const entries = await readdir(testing).catch(() => []);
  if (entries.length > 0 && !made) throw new Error(`${testing} exists and was not made by the demo: move it away first`);
  await rm(testing, { recursive: true, force: true });
  await mkdir(testing, { recursive: true });
  await writeFile(join(testing, marker), '');
  return testing;
};

/** A rendezvous and four peers that see one another. */
export const setStage = async (): Promise<{ world: World; peers: Peers; rendezvous: string }> => {
  const directory = await emptyStage();
  // Unix socket paths hold 107 bytes: behind a long path the world lives under a short name.
  let short = directory;
  if (Buffer.byteLength(join(directory, 'alice/run/peerd.sock')) > 107) {
    const link = join(await mkdtemp(join(tmpdir(), 'pe-')), 't');
    await symlink(directory, link);
    short = link;
  }
  const world = await World.create(short);
  const rendezvous = await world.rendezvous();
  const [alice, bob, carol, dave] = await world.peersInOneRoom(names);
  return { world, peers: { alice, bob, carol, dave }, rendezvous: rendezvous.address };
};

/** Runs peerctl as a peer with its output on the screen. @throws Error when the exit code is another */
export const show = async (peer: Peer, args: readonly string[], expected = 0): Promise<void> => {
  say(paint(36, `${peer.name}$ peerctl ${args.map((arg) => (/^[\w./~-]+$/.test(arg) ? arg : `'${arg}'`)).join(' ')}`));
  const child = spawn(process.execPath, [programs.peerctl, '--socket', peer.socket, ...args], {
    stdio: 'inherit',
    cwd: peer.directory,
    env: { ...peer.environment, NO_COLOR: process.env['NO_COLOR'], TERM: process.env['TERM'], COLUMNS: process.env['COLUMNS'] },
  });
  await once(child, 'exit');
  if (child.exitCode !== expected) throw new Error(`peerctl ${args.join(' ')} exited with ${child.exitCode ?? child.signalCode}, expected was ${expected}`);
};
