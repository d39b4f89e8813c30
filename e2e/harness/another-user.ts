/** A daemon of another user than the one who runs the tests; only root can start it. */
import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import type { Peer, World } from './world.ts';

const nobody = 65_534;
const prefix = ['setpriv', '--reuid', String(nobody), '--regid', String(nobody), '--clear-groups'];

export const canChangeUser: boolean = ((): boolean => {
  if (process.getuid?.() !== 0) return false;
  const [command, ...args] = [...prefix, process.execPath, '-e', '0'];
  try {
    execFileSync(command, args);
    return true;
  } catch {
    return false;
  }
})();

/** A peer that is not started yet. The directory of the world has to let others through. */
export const ofAnotherUser = (world: World, name: string): Peer => {
  const peer = world.peer(name, { prefix });
  for (const directory of [peer.directory, peer.inboxDirectory]) chownSync(directory, nobody, nobody);
  return peer;
};
