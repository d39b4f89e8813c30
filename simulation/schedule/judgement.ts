/** What must be true when everything has calmed down. */
import { isFinalState, isSettled } from '@peerd/protocol';
import type { Schedule, Send } from './schedule.ts';
import type { World } from './world.ts';

export type Outcome = 'done' | 'rejected' | 'cancelled' | 'failed';

/** What is still missing before the run may end; `undefined`: nothing. */
export const unsettled = (world: World, schedule: Schedule): string | undefined => {
  for (const send of schedule.sends) {
    const sender = world.peers.get(send.from)?.transfers.outgoing.get(send.id)?.state;
    const receiver = world.peers.get(send.to)?.transfers.incoming.get(send.id)?.state;
    if (!sender || !isSettled(sender)) return `${send.id} at its sender is ${sender?.state ?? 'not there'}`;
    if (receiver && !isSettled(receiver)) return `${send.id} at its receiver is ${receiver.state}`;
  }
  const registered = [...(world.rendezvous?.registry.all() ?? [])].map(({ entry }) => entry.id).sort();
  for (const [name, { rendezvous }] of world.peers) {
    const { phase } = rendezvous.state;
    if (phase !== 'registered' && phase !== 'left') return `${name} is ${phase}`;
    if (registered.includes(name) !== (phase === 'registered')) return `${name} is ${phase}, and on the roster: ${registered.includes(name)}`;
    const seen = [...rendezvous.roster.keys()].sort().join();
    if (phase === 'registered' && seen !== registered.filter((id) => id !== name).join()) return `the roster of ${name} is ${seen} of ${registered.join()}`;
  }
  for (const [name, { others }] of world.peers)
    for (const [peer, { slot }] of others) {
      const back = world.peers.get(peer)?.others.get(name)?.slot;
      if (slot.link?.wire !== back?.link?.wire) return `${name} and ${peer} don't agree on their link`;
      if (slot.state.phase === 'choosing') return `${name} waits for ${peer} to select`;
    }
  return undefined;
};

/** @throws Violation */
export const judge = (world: World, schedule: Schedule): Outcome[] => schedule.sends.map((send) => judgeTransfer(world, send));

const judgeTransfer = (world: World, { id, from, to }: Send): Outcome => {
  const { ledger } = world;
  const sender = world.peers.get(from)?.transfers.outgoing.get(id)?.row;
  const receiver = world.peers.get(to)?.transfers.incoming.get(id)?.row;
  const [sending, receiving] = [world.machines.get(from)?.disk, world.machines.get(to)?.disk];
  const at = (): string => `${id}: ${sender?.state} (${sender?.error?.code}) at its sender, ${receiver?.state} (${receiver?.error?.code}) at its receiver`;
  const stands = receiving?.finals.some(({ transfer }) => transfer === id) === true;
  const proven = receiving?.receipts.has(`received ${id}`) === true;
  const cancelled = world.cancelled.get(id);
  const diskFailed = receiving?.failed === true || sending?.failed === true;
  const state = sender?.state ?? 'queued';
  ledger.check(isFinalState(state) && (!receiver || isFinalState(receiver.state)), 'everything completes', at);
  // A sender that gave up by itself may learn that it was too late; it stays with its own end.
  if (cancelled !== 'sender') ledger.check(receiver?.state === state, 'both ends agree', at);
  if (state === 'done') ledger.check(sending?.receipts.has(`sent ${id}`) === true && proven && stands && receiver?.state === 'done', 'a receipt exists exactly when the data does', at);
  if (receiver?.state === 'done') ledger.check(stands && proven, 'a receipt exists exactly when the data does', at);
  ledger.check(!proven || stands, 'a receipt exists exactly when the data does', at);
  if (cancelled === undefined && !diskFailed) ledger.check(stands === proven && stands === (receiver?.state === 'done'), 'a receipt exists exactly when the data does', at);
  if (state === 'failed' || receiver?.state === 'failed') ledger.check(diskFailed, 'nothing fails without a reason', at);
  if (state === 'cancelled' || receiver?.state === 'cancelled') ledger.check(cancelled !== undefined, 'nothing is cancelled by itself', at);
  ledger.check(sender?.state === sending?.rows.get(`send ${id}`)?.state, 'what is said is on the disk', at);
  return isFinalState(state) ? (state as Outcome) : 'failed';
};
