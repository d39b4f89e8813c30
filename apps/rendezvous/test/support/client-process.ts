/** A client in a process of its own: registers, says so, and pings until it is killed. Arguments: HOST PORT ID STATE_DIR. */
import { randomBytes } from 'node:crypto';
import { encodeMessage, ping, register, rendezvousAlpn, rendezvousHeartbeatMs, rendezvousMessages } from '@peerd/protocol';
import { dial, greet, loadIdentity } from '@peerd/service';

const [host = '', port = '', id = '', stateDir = ''] = process.argv.slice(2);
const identity = await loadIdentity(stateDir);
const never = new AbortController().signal;
const channel = await dial(identity, { host, port: Number(port), protocol: rendezvousAlpn, expected: id }, never);
const greeted = await greet(channel, { versions: [1], role: 'register', nonce: randomBytes(16), name: 'process', agent: 'test/1' }, never);
channel.expect(rendezvousMessages.bounds);
channel.send(encodeMessage(register, { room: 'lobby', addresses: [] }));
setInterval(() => channel.send(encodeMessage(ping, { seq: 0 })), rendezvousHeartbeatMs);
for await (const frame of greeted.frames) {
  const message = rendezvousMessages.read(frame);
  if (message?.kind === 'registered') process.stdout.write(`${identity.id}\n`);
}
process.exit(0);
