/**
 * The demo: a rendezvous and four peers, one room. Prints the roster, chats, sends a directory and 256 MiB with
 * consent, checks what arrived, kills a daemon in mid-transfer, and stops everything. Exits 0 when all of it worked.
 */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { diffTrees, sha256OfFile, writeRandomFile } from '../harness/files.ts';
import type { Peer } from '../harness/world.ts';
import { say, setStage, show, title } from './stage.ts';

const MiB = 1024 * 1024;
const started = performance.now();
const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

const check = (what: string, holds: boolean): void => {
  if (!holds) throw new Error(`not so: ${what}`);
  say(`✓ ${what}`);
};

/** Sends in the background, accepts at the other end, and waits for the sender's exit code. */
const sendWithConsent = async (from: Peer, to: Peer, path: string): Promise<void> => {
  const sending = show(from, ['send', to.name, path]);
  await to.seesTransfer((transfer) => transfer.direction === 'receive' && transfer.state === 'offered');
  await show(to, ['inbox']);
  await show(to, ['accept', '--all']);
  await sending;
};

const makePhotos = async (directory: string): Promise<void> => {
  await mkdir(join(directory, 'raw', 'empty album'), { recursive: true });
  for (let index = 1; index <= 200; index += 1) await writeRandomFile(join(directory, `img ${index}.jpg`), 4_096 + index * 97);
  await writeRandomFile(join(directory, 'raw', 'panorama.tif'), 5 * MiB);
  await writeFile(join(directory, 'été 🏖.txt'), 'a name beyond ASCII\n');
  await symlink('img 1.jpg', join(directory, 'cover.jpg'));
};

title('A rendezvous and four peers, each in a directory of its own under ./testing');
const { world, peers, rendezvous } = await setStage();
const { alice, bob, carol, dave } = peers;
try {
  say(`rendezvous at ${rendezvous}; everybody sees everybody after ${seconds(started)}`);
  await show(alice, ['whoami']);
  await show(alice, ['peers']);

  title('Messages, both ways');
  await show(alice, ['chat', 'bob', 'hello bob, shall I send the holiday pictures?']);
  await show(bob, ['chat', 'alice', 'yes please']);

  title('A directory: bob sees what is offered, and decides');
  const photos = join(alice.directory, 'holiday');
  await makePhotos(photos);
  await sendWithConsent(alice, bob, 'holiday');
  check('every file, mode and link is identical (diff -r)', (await diffTrees(photos, join(bob.inboxDirectory, 'holiday'))) === '');

  title('256 MiB with progress');
  const film = join(alice.directory, 'film.mkv');
  await writeRandomFile(film, 256 * MiB);
  await sendWithConsent(alice, carol, 'film.mkv');
  check('the SHA-256 is the same at both ends', (await sha256OfFile(film)) === (await sha256OfFile(join(carol.inboxDirectory, 'film.mkv'))));

  title('No is an answer too');
  const refused = show(carol, ['send', 'dave', 'downloads/film.mkv'], 5);
  const offer = await dave.seesTransfer((transfer) => transfer.direction === 'receive' && transfer.state === 'offered');
  await show(dave, ['reject', offer.id, '--reason', 'my disk is small']);
  await refused;

  title('The receiver dies in the middle (kill -9) and comes back');
  await alice.json('trust', 'dave');
  const large = join(alice.directory, 'backup.img');
  await writeRandomFile(large, 768 * MiB);
  const send = alice.command(['--json', 'send', 'dave', 'backup.img', '--limit-rate', '256M']);
  await send.line((line) => line['event'] === 'offered');
  await dave.json('accept', '--all');
  const midway = await send.line((line) => line['event'] === 'progress' && Number(line['bytesDone']) > 64 * MiB);
  await dave.end('SIGKILL');
  say(`killed dave's daemon after ${Math.round(Number(midway['bytesDone']) / MiB)} of 768 MiB`);
  await dave.start();
  const { code } = await send.result;
  check('the transfer completed by itself after the restart', code === 0);
  const detail = await dave.json<{ chunks: { reused: number; received: number; rewritten: number } }>('show', String(midway['id']));
  check(`${detail.chunks.reused} chunks were on disk already and not sent again, ${detail.chunks.rewritten} were rewritten`, detail.chunks.reused > 0 && detail.chunks.rewritten === 0);
  check('the SHA-256 is the same at both ends', (await sha256OfFile(large)) === (await sha256OfFile(join(dave.inboxDirectory, 'backup.img'))));

  title('What happened');
  await show(alice, ['transfers']);
  await show(alice, ['contacts']);
  say(`\nEverything worked, in ${seconds(started)}. Look around in ${relative(process.cwd(), world.directory) || world.directory}; \`pnpm dev\` keeps such a world running.`);
} finally {
  await Promise.all(world.peers.map((peer) => peer.end()));
  await world[Symbol.asyncDispose]();
}
