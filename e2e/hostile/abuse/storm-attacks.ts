/** Comings and goings without end, and somebody who does not listen to them. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Address, encodeMessage, type MessageSet, PeerdError, ping, register, registered, rendezvousAlpn, type RendezvousMessage, rendezvousMessages } from '@peerd/protocol';
import { greet } from '@peerd/service';
import { ScriptedConnection } from '../../harness/scripted-connection.ts';
import type { ScriptedPeer, ScriptedRegistration } from '../../harness/scripted-peer.ts';
import type { Attack } from './attack.ts';
import { hostOf, type Stage } from './stage.ts';

const codeOf = (error: unknown): string => (error instanceof PeerdError ? error.code : String(error));

/** Links and goes, each time as a process that was started anew. @returns what it hears when it is not let in, or too often it was */
const comeAndGo = async (stage: Stage, peer: ScriptedPeer, signal: AbortSignal): Promise<string> => {
  const started = performance.now();
  const heard = new Set<string>();
  for (let links = 1; !signal.aborted || heard.size === 0; links += 1) {
    peer.nonce = randomBytes(16);
    try {
      using _link = await peer.link(stage.target);
    } catch (error) {
      heard.add(codeOf(error));
      links -= 1;
    }
    // 60 at once, then one in a second.
    if (links > 61 + (performance.now() - started) / 1_000) return `${links} links`;
  }
  return [...heard].join(' ');
};

/** Up to the registration or the reason against it. */
const registration = async (stage: Stage, peer: ScriptedPeer): Promise<{ connection: ScriptedRegistration; refused: string | undefined }> => {
  const channel = await peer.dial(hostOf(stage.rendezvous.address), rendezvousAlpn);
  const { frames } = await greet(channel, peer.hello({ role: 'register' }), new AbortController().signal);
  const connection: ScriptedRegistration = new ScriptedConnection(channel, frames, rendezvousMessages);
  connection.write(encodeMessage(register, { room: 'lobby', addresses: [] }));
  const isIn = await connection.next('registered').then(() => true, () => false);
  return { connection, refused: isIn ? undefined : await connection.ended };
};

/** Registers and goes. @returns as `comeAndGo` */
const registerAndGo = async (stage: Stage, peer: ScriptedPeer, signal: AbortSignal): Promise<string> => {
  const started = performance.now();
  const heard = new Set<string>();
  let count = 0;
  while (!signal.aborted || heard.size === 0) {
    const { connection, refused } = await registration(stage, peer);
    connection[Symbol.dispose]();
    if (refused === undefined) count += 1;
    else heard.add(refused);
    // 200 frames at once, then 20 in a second, of which a registration takes ten.
    if (count > 21 + (2 * (performance.now() - started)) / 1_000) return `${count} registrations`;
  }
  return [...heard].join(' ');
};

/** As long as an entry of a roster may be. */
const long = (port: number): Address[] => Array.from({ length: 16 }, (_, index) => ({ host: `${index}`.padEnd(255, 'x'), port, kind: 'host' }));

/** Of all that comes, only the answers to a registration are decoded. */
const registeredOnly: MessageSet<RendezvousMessage> = { bounds: rendezvousMessages.bounds, read: (frame) => (frame.type === registered.type ? rendezvousMessages.read(frame) : undefined) };

interface Member {
  readonly connection: ScriptedRegistration;
  readonly register: (port: number) => Promise<void>;
}

/** One of a crowd that says as much of itself as it may. */
const member = async (stage: Stage, peer: ScriptedPeer): Promise<Member> => {
  const channel = await peer.dial(hostOf(stage.rendezvous.address), rendezvousAlpn);
  const { frames } = await greet(channel, peer.hello({ role: 'register' }), new AbortController().signal);
  const connection: ScriptedRegistration = new ScriptedConnection(channel, frames, registeredOnly);
  const again = async (port: number): Promise<void> => {
    connection.write(encodeMessage(register, { room: 'lobby', addresses: long(port) }));
    await connection.next('registered');
  };
  await again(1);
  return { connection, register: again };
};

const several = <T>(count: number, make: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, make));

export const stormAttacks: readonly Attack[] = [
  {
    name: 'links of a contact and of a stranger that go at once', victim: 'peerd', told: /^rate_limited, rate_limited$/, metric: 'peerd_inbound_refused_total{reason="rate_limited"}',
    run: async (stage, signal) => {
      const contact = await stage.offender();
      await contact.pinnedAt(stage.victim);
      const stranger = await stage.introduced();
      return (await Promise.all([contact, stranger].map((peer) => comeAndGo(stage, peer, signal)))).join(', ');
    },
  },
  {
    name: 'registrations that go at once', victim: 'rendezvous', told: /^rate_limited$/, metric: 'rendezvous_frames_rejected_total{reason="rate_limited"}',
    run: async (stage, signal) => {
      const peers = await several(4, () => stage.offender());
      return [...new Set(await Promise.all(peers.map((peer) => registerAndGo(stage, peer, signal))))].join(' ');
    },
  },
  {
    name: 'registers and never reads', victim: 'rendezvous', told: /^(slow_consumer|none)$/, metric: 'rendezvous_departures_total{reason="slow_consumer"}',
    run: async (stage) => {
      const crowd: Member[] = [];
      // No more at a time than may wait for their registration.
      while (crowd.length < 64) crowd.push(...(await several(32, async () => member(stage, await stage.offender()))));
      const restless = crowd.slice(0, 8);
      const deaf = await (await stage.offender()).register(stage.rendezvous.address);
      deaf.stopReading();
      // The roster of all these, as often as it may: what the kernels hold for it is full the sooner.
      for (let count = 0; count < 14; count += 1) deaf.write(encodeMessage(register, { room: 'lobby', addresses: [] }));
      const patience = AbortSignal.timeout(30_000);
      for (let port = 2; !deaf.channel.signal.aborted; port += 1) {
        patience.throwIfAborted();
        // Its lease goes on, and it wants the whole roster again.
        deaf.write(encodeMessage(ping, { seq: port }));
        deaf.write(encodeMessage(register, { room: 'lobby', addresses: [] }));
        await Promise.all(restless.map((one) => one.register(port)));
        // As often as each may register.
        await sleep(700);
      }
      for (const { connection } of crowd) connection[Symbol.dispose]();
      deaf.goOnReading();
      return deaf.ended;
    },
  },
];
