/** Keeps a rendezvous and four peers running until Ctrl-C, and says how to talk as each of them. */
import { once } from 'node:events';
import { relative, resolve } from 'node:path';
import { say, setStage, title } from './stage.ts';

title('Starting a rendezvous and four peers under ./testing');
const { world, peers, rendezvous } = await setStage();
say(`rendezvous   ${rendezvous}`);
for (const peer of Object.values(peers)) say(`${peer.name.padEnd(12)} ${peer.id.slice(0, 8)}  files arrive in ${relative(process.cwd(), peer.inboxDirectory)}`);

title('Talk as one of them');
for (const peer of Object.values(peers)) say(`alias ${peer.name}='${resolve('node_modules/.bin/peerctl')} --socket ${peer.socket}'`);
say(`
  alice peers
  alice send bob README.md        # waits for bob
  bob inbox; bob accept --all
  alice chat bob 'hello'
  bob chat alice --follow

Ctrl-C stops them all.`);

const keepAlive = setInterval(() => {}, 60_000);
await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
clearInterval(keepAlive);
title('Stopping');
await Promise.all(Object.values(peers).map((peer) => peer.end()));
await world[Symbol.asyncDispose]();
