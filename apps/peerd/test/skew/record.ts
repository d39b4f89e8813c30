/** Records the conversations of this version, for the first time: `node --conditions=@peerd/source apps/peerd/test/skew/record.ts`. */
import { existsSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { frameHeaderBytes, rendezvousAlpn } from '@peerd/protocol';
import { Channel, createLogger } from '@peerd/service';
import { createRendezvousServer } from '../../../rendezvous/src/rendezvous.ts';
import { call } from '../unix-http.ts';
import { type Conversation, file, isVolatile, type Party, type Step, stepOf } from './conversation.ts';
import { seeds, startPeer, temporary, writeKey, writeSource } from './people.ts';

if (existsSync(file)) throw new Error('there are conversations already: they are of the version that recorded them');

interface Said {
  readonly to: string;
  /** The two ports, whoever has which. */
  readonly ports: string;
  readonly isRendezvous: boolean;
  readonly frame: Buffer;
}

const said: Said[] = [];
const hear = (channel: Channel, buffers: readonly Uint8Array[]): void => {
  const ports = [channel.local.port, channel.remote.port].sort((a, b) => a - b).join('-');
  let bytes = Buffer.concat(buffers);
  // Packs and chunks may leave several at a time.
  while (bytes.length > 0) {
    const end = frameHeaderBytes + bytes.readUInt32BE(0);
    said.push({ to: channel.peerId, ports, isRendezvous: channel.protocol === rendezvousAlpn, frame: Buffer.from(bytes.subarray(0, end)) });
    bytes = bytes.subarray(end);
  }
};
// oxlint-disable-next-line typescript/unbound-method -- called with `this` below
const { send, put } = Channel.prototype;
Channel.prototype.send = function (frame) {
  hear(this, [frame]);
  return send.call(this, frame);
};
Channel.prototype.put = function (buffers, release) {
  hear(this, buffers);
  return put.call(this, buffers, release);
};

/** What was said on connections that fit, from the first one on. */
const conversation = (name: string, fits: (one: Said) => boolean, fromOf: (one: Said) => Party): Conversation => {
  const ports: string[] = [];
  const steps: Step[] = [];
  for (const one of said.filter(fits)) {
    if (!ports.includes(one.ports)) ports.push(one.ports);
    const step = stepOf(fromOf(one), ports.indexOf(one.ports), one.frame);
    if (!isVolatile(step.kind)) steps.push(step);
  }
  return { name, steps };
};

const until = async (condition: () => Promise<boolean> | boolean): Promise<void> => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 50));
};

const directory = await temporary();
const logger = createLogger('skew', 'silent');

// Without a rendezvous: a transfer and a message.
{
  const sender = await startPeer(directory, 'sender');
  const receiver = await startPeer(directory, 'receiver');
  await call(sender.control, 'POST', '/v1/contacts', { peer: `${receiver.id}@127.0.0.1:${receiver.listen.port}`, name: 'receiver' });
  await call(receiver.control, 'POST', '/v1/contacts', { peer: `${sender.id}@127.0.0.1:1`, name: 'sender' });
  const { body } = await call<{ transfers: { id: string }[] }>(sender.control, 'POST', '/v1/transfers', { peers: ['receiver'], paths: [await writeSource(directory)] });
  for (const daemon of [sender, receiver]) await until(async () => (await call(daemon.control, 'GET', `/v1/transfers/${body.transfers[0]?.id}`)).body['state'] === 'done');
  await call(sender.control, 'POST', '/v1/messages', { peer: 'receiver', text: 'did it arrive?' });
  const transfer = conversation('transfer', (one) => !one.isRendezvous, (one) => (one.to === receiver.id ? 'sender' : 'receiver'));
  await sender.stop();
  await receiver.stop();
  said.length = 0;

  // With one: both register, the sender asks for the receiver and leaves.
  await writeKey(join(directory, 'rendezvous'), seeds.rendezvous);
  const server = await createRendezvousServer(
    { listen: { host: '127.0.0.1', port: 0 }, admin: { host: '127.0.0.1', port: 0 }, maxPeers: 10, maxPendingPerAddress: 64, allowHost: [], logLevel: 'silent', stateDir: join(directory, 'rendezvous') },
    { logger, env: {} },
  );
  const at = ['--rendezvous', `127.0.0.1:${server.address.port}`];
  const other = await startPeer(directory, 'other', at);
  const first = await startPeer(directory, 'sender', at);
  await until(async () => (await call<{ peers: { id: string; state: string }[] }>(first.control, 'GET', '/v1/peers')).body.peers.some(({ id, state }) => id === other.id && state === 'online'));
  await call(first.control, 'POST', `/v1/peers/${other.id}/connect`, {});
  await first.stop();
  await other.stop();
  // The port of a client's connection tells which client it is.
  const portsOf = (id: string): Set<string> => new Set(said.filter((one) => one.isRendezvous && one.to === id).map(({ ports }) => ports));
  const fromOf = (one: Said): Party => (one.to === server.id ? 'client' : 'rendezvous');
  const [asking, asked] = [portsOf(first.id), portsOf(other.id)];
  const conversations = [
    transfer,
    conversation('asking', (one) => asking.has(one.ports), fromOf),
    conversation('asked', (one) => asked.has(one.ports), fromOf),
  ];
  await server.stop();
  const lines = conversations.map(({ name, steps }) => `  { "name": ${JSON.stringify(name)}, "steps": [\n${steps.map((step) => `    ${JSON.stringify(step)}`).join(',\n')}\n  ] }`);
  writeFileSync(file, `[\n${lines.join(',\n')}\n]\n`);
}
await rm(directory, { recursive: true });
