/** What has to be true when the fault is gone and everything has come to rest. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../harness/control.ts';
import type { Peer } from '../harness/world.ts';
import { checkDestination } from './destination.ts';
import type { Prepared, Side } from './load.ts';
import type { Sightings } from './sightings.ts';
import { type Stage, type TransferSeen, transfersAt } from './stage.ts';

interface Detail {
  readonly chunks: { readonly reused: number; readonly rewritten: number };
  readonly receipt: { readonly verified: boolean } | null;
}

interface Receipts {
  readonly receipts: readonly { readonly role: 'sent' | 'received'; readonly transfer: string; readonly peer: { readonly id: string }; readonly receipt: object | null }[];
}

const finalStates = ['done', 'rejected', 'cancelled', 'failed'];
/** Tidying up comes after the end. */
const tidyMs = 20_000;

export interface Findings {
  /** What is wrong; empty when everything is as it should be. */
  readonly wrong: string[];
  /** Deliveries that went on where an interruption had left them. */
  readonly resumed: number;
}

/** @param partly names of loads of which an attempt has ended as `partial` */
export const checkAll = async (stage: Stage, loads: readonly Prepared[], sightings: Readonly<Record<Side, Sightings>>, partly: ReadonlySet<string>): Promise<Findings> => {
  const wrong: string[] = [];
  let resumed = 0;
  for (const who of [...stage.peers, ...(stage.rendezvous ? [stage.rendezvous] : [])]) stage.look(who);
  wrong.push(...stage.crashes);
  if (stage.peers.some(({ daemon }) => daemon?.running !== true)) return { wrong, resumed };
  for (const [from, to] of [['alice', 'bob'], ['bob', 'alice']] as const) {
    const ways = loads.filter((load) => load.from === from);
    const direction = await checkDirection(stage.peer(from), stage.peer(to), ways.length);
    wrong.push(...checkDestination(stage.peer(to).inboxDirectory, sightings[to], ways, partly), ...direction.wrong);
    resumed += direction.resumed;
  }
  for (const peer of stage.peers) wrong.push(...(await checkLeftovers(peer)), ...checkLog(peer));
  return { wrong, resumed };
};

/** Everything that went one way. */
const checkDirection = async (from: Peer, to: Peer, sent: number): Promise<Findings> => {
  const wrong: string[] = [];
  const ends = await restOf(from, to);
  for (const { id, sender, receiver } of ends) {
    const states = `${id}: ${shown(sender)} at ${from.name}, ${shown(receiver)} at ${to.name}`;
    if (sender && receiver && sender.state !== receiver.state) wrong.push(`two states of one transfer: ${states}`);
    if (!sender && receiver?.state === 'done') wrong.push(`delivered, and its sender knows nothing of it: ${states}`);
    for (const end of [sender, receiver]) if (end && !finalStates.includes(end.state)) wrong.push(`not over: ${states}`);
  }
  const done = ends.filter(({ sender, receiver }) => sender?.state === 'done' && receiver?.state === 'done').map(({ id }) => id);
  if (done.length !== sent) wrong.push(`${sent} were sent from ${from.name} to ${to.name}, and ${done.length} transfers are done`);
  let resumed = 0;
  for (const id of done) {
    const [atSender, atReceiver] = await Promise.all([from, to].map((peer) => ask<Detail>(peer.socket, `/v1/transfers/${id}`)));
    if (atReceiver?.chunks.rewritten !== 0) wrong.push(`${id}: ${atReceiver?.chunks.rewritten} chunks were written twice`);
    for (const detail of [atSender, atReceiver]) if (detail?.receipt?.verified !== true) wrong.push(`${id}: done without a valid receipt`);
    if ((atReceiver?.chunks.reused ?? 0) > 0) resumed += 1;
  }
  // In part, and the receipt says so.
  const delivered = [...done, ...ends.filter(({ sender, receiver }) => sender?.error?.code === 'partial' && receiver?.error?.code === 'partial').map(({ id }) => id)];
  wrong.push(...(await checkReceipts(from, 'sent', to, delivered)), ...(await checkReceipts(to, 'received', from, delivered)));
  return { wrong, resumed };
};

interface Ends {
  readonly id: string;
  readonly sender: TransferSeen | undefined;
  readonly receiver: TransferSeen | undefined;
}

/** Both ends of every transfer, once nothing changes any more; a side that knows nothing of it has `undefined`. */
const restOf = async (from: Peer, to: Peer): Promise<Ends[]> => {
  for (let waited = 0; ; waited += 250) {
    const [sent, received] = await Promise.all([transfersAt(from), transfersAt(to)]);
    const senders = new Map(sent.filter(({ direction }) => direction === 'send').map((transfer) => [transfer.id, transfer]));
    const receivers = new Map(received.filter(({ direction }) => direction === 'receive').map((transfer) => [transfer.id, transfer]));
    const ends = [...new Set([...senders.keys(), ...receivers.keys()])].map((id) => ({ id, sender: senders.get(id), receiver: receivers.get(id) }));
    const atRest = ends.every(({ sender, receiver }) => [sender, receiver].every((end) => end === undefined || finalStates.includes(end.state)) && (!sender || !receiver || sender.state === receiver.state));
    if (atRest || waited >= tidyMs) return ends;
    await sleep(250);
  }
};

const shown = (transfer: TransferSeen | undefined): string => (transfer ? `${transfer.state}${transfer.error ? ` (${transfer.error.code}: ${transfer.error.message})` : ''}` : 'unknown');

/** One for each delivery, none for anything else, and a log that is whole. */
const checkReceipts = async (at: Peer, role: 'sent' | 'received', other: Peer, delivered: readonly string[]): Promise<string[]> => {
  const wrong: string[] = [];
  const { receipts } = await ask<Receipts>(at.socket, '/v1/receipts');
  const ids = receipts.filter((receipt) => receipt.role === role && receipt.peer.id === other.id && receipt.receipt !== null).map(({ transfer }) => transfer);
  for (const id of delivered) if (ids.filter((one) => one === id).length !== 1) wrong.push(`${id}: ${ids.filter((one) => one === id).length} receipts in the log of ${at.name}`);
  for (const id of ids) if (!delivered.includes(id)) wrong.push(`${id}: ${at.name} has a receipt (${role}), and it was not delivered by both ends`);
  const verdict = await at.run('receipts', 'verify');
  if (verdict.code !== 0) wrong.push(`receipts verify at ${at.name}: ${verdict.stdout}${verdict.stderr}`);
  return wrong;
};

/** Nothing of staging and spool is left. */
const checkLeftovers = async (peer: Peer): Promise<string[]> => {
  const state = join(peer.directory, 'state');
  const left = (): string[] => [
    ...readdirSync(peer.inboxDirectory).filter((name) => name.startsWith('.peerd-')).map((name) => `staging ${name}`),
    ...namesIn(join(state, 'spool')).map((name) => `spool/${name}`),
    ...namesIn(join(state, 'transfers/questions')).map((name) => `questions/${name}`),
  ];
  for (let waited = 0; left().length > 0 && waited < tidyMs; waited += 250) await sleep(250);
  return left().map((what) => `${peer.name} has left ${what}`);
};

const namesIn = (directory: string): string[] => {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
};

/** `internal` is a defect by its definition. */
const checkLog = (peer: Peer): string[] =>
  peer.logs.filter((line) => /"code":"internal"|"level":60/.test(line)).map((line) => `the log of ${peer.name}: ${line.slice(0, 600)}`);
