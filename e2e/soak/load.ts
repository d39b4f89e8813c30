/** Full load for a long time: transfers and messages both ways, links that end, peers that come and go. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../harness/control.ts';
import { writeRandomFile } from '../harness/files.ts';
import type { Peer } from '../harness/world.ts';

const MiB = 1024 * 1024;

/** How often things happened. */
export interface Deeds {
  transfers: number;
  messages: number;
  disconnects: number;
  departures: number;
}

export interface SoakPeers {
  readonly alice: Peer;
  readonly bob: Peer;
  /** Comes and goes. */
  readonly carol: Peer;
}

/** A person writes and looks so often. */
const messageEveryMs = 250;
const disconnectEveryMs = 7_000;
const staysMs = 5_000;

/** Until the signal aborts. @throws the first thing that went wrong */
export const underLoad = async ({ alice, bob, carol }: SoakPeers, deeds: Deeds, signal: AbortSignal): Promise<void> => {
  const failed = new AbortController();
  const over = AbortSignal.any([signal, failed.signal]);
  const activities = [transfers(alice, bob, deeds, over), transfers(bob, alice, deeds, over), messages(alice, bob, deeds, over), messages(bob, alice, deeds, over), disconnects(alice, bob, deeds, over), departures(carol, alice, deeds, over)];
  await Promise.all(activities.map(async (activity) => {
    try {
      await activity;
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  }));
};

/** One after the other: a large file, a tree of small ones, standard input; what arrived makes room for the next. */
const transfers = async (from: Peer, to: Peer, deeds: Deeds, signal: AbortSignal): Promise<void> => {
  const [large, tree, input] = ['large', 'tree', 'input'].map((name) => `${from.name}-${name}`) as [string, string, string];
  await writeRandomFile(join(from.directory, large), 48 * MiB);
  mkdirSync(join(from.directory, tree, 'below'), { recursive: true });
  for (let index = 0; index < 400; index += 1) writeFileSync(join(from.directory, tree, index % 2 ? 'below' : '.', `${index}`), randomBytes(2_000));
  const stdin = randomBytes(MiB);
  while (!signal.aborted) {
    for (const [name, args] of [[large, [large]], [tree, [tree]], [input, ['-', '--name', input]]] as const) {
      if (signal.aborted) return;
      const send = from.command(['--json', 'send', to.id, ...args], { stdin: args[0] === '-' ? 'pipe' : 'ignore' });
      send.child.stdin?.end(stdin);
      const { code, stderr } = await send.result;
      if (code !== 0) throw new Error(`${name}: peerctl send exited with ${code}: ${stderr}`);
      rmSync(join(to.inboxDirectory, name), { recursive: true });
      deeds.transfers += 1;
    }
  }
};

const messages = async (from: Peer, to: Peer, deeds: Deeds, signal: AbortSignal): Promise<void> => {
  while (await pause(messageEveryMs, signal)) {
    await ask(from.socket, '/v1/messages', 'POST', { peer: to.id, text: `message ${deeds.messages} while everything else goes on` });
    for (const path of ['/v1/status', '/v1/transfers', '/v1/messages?limit=20']) await ask(to.socket, path);
    deeds.messages += 1;
  }
};

const disconnects = async (one: Peer, other: Peer, deeds: Deeds, signal: AbortSignal): Promise<void> => {
  while (await pause(disconnectEveryMs, signal)) {
    await ask(one.socket, `/v1/peers/${other.id}/disconnect`, 'POST');
    await ask(one.socket, `/v1/peers/${other.id}/connect`, 'POST', {});
    deeds.disconnects += 1;
  }
};

/** A third peer: the roster changes, a link comes up, and one is lost without a word. */
const departures = async (carol: Peer, alice: Peer, deeds: Deeds, signal: AbortSignal): Promise<void> => {
  while (await pause(staysMs, signal)) {
    await carol.start();
    await carol.seesPeers((peers) => peers.some(({ id }) => id === alice.id));
    await carol.json('chat', alice.id, 'here I am');
    await pause(staysMs, signal);
    await carol.end(deeds.departures % 2 === 0 ? 'SIGKILL' : 'SIGTERM');
    deeds.departures += 1;
  }
};

/** @returns whether to go on */
const pause = async (ms: number, signal: AbortSignal): Promise<boolean> => {
  await sleep(ms, undefined, { signal }).catch(() => {});
  return !signal.aborted;
};
