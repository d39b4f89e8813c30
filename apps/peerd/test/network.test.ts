/** Peers of one process and a real rendezvous: the flow from registration to link and back, as the daemon wires it. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { protocolVersions } from '@peerd/protocol';
import type { Identity } from '@peerd/service';
import { Registry } from 'prom-client';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createRendezvousServer, type RendezvousServer, type RendezvousSettings } from '../../rendezvous/src/rendezvous.ts';
import type { LinksDeps } from '../src/peer/deps.ts';
import { createLinks, type LinkLayer } from '../src/peer/links.ts';
import type { RendezvousDeps } from '../src/rendezvous/deps.ts';
import { localAddresses } from '../src/rendezvous/local-addresses.ts';
import type { Rendezvous } from '../src/rendezvous/ports.ts';
import { createRendezvous } from '../src/rendezvous/rendezvous.ts';
import { failureOf, identities, quiet, temporaryDirectory, until } from './support.ts';

const soon = (): AbortSignal => AbortSignal.timeout(15_000);
interface Node {
  readonly id: string;
  readonly links: LinkLayer;
  readonly rendezvous: Rendezvous;
}

describe('peers and a real rendezvous', () => {
  let alice: Identity;
  let bob: Identity;
  let carol: Identity;
  let state: string;
  beforeEach(async () => {
    [alice, bob, carol] = await identities();
    state = await temporaryDirectory();
  });

  const serve = async (more: Partial<RendezvousSettings> = {}): Promise<RendezvousServer> => {
    const settings: RendezvousSettings = {
      listen: { host: '127.0.0.1', port: 0 },
      admin: { host: '127.0.0.1', port: 0 },
      stateDir: state,
      maxPeers: 10,
      maxPendingPerAddress: 64,
      allowHost: [],
      logLevel: 'silent',
      ...more,
    };
    const server = await createRendezvousServer(settings, { logger: quiet, env: {} });
    onTestFinished(() => server.stop());
    return server;
  };

  const enter = async (identity: Identity, servers: readonly RendezvousServer[], more: { links?: Partial<LinksDeps>; rendezvous?: Partial<RendezvousDeps> } = {}): Promise<Node> => {
    const common = { identity, hello: { versions: [...protocolVersions], nonce: randomBytes(16), name: identity.id.slice(0, 4), agent: 'test/1' }, logger: quiet };
    const registry = new Registry();
    const pins = new Map<string, string>();
    const rendezvous: Rendezvous = createRendezvous({
      ...common,
      registry,
      settings: servers.map(({ address }) => address),
      room: 'lobby',
      afterConnect: 'stay',
      links: { count: () => links.all().length, onChange: (listener) => links.onChange(listener) },
      addresses: (local) => localAddresses(links.address, local),
      pins: { get: (address) => pins.get(address), set: async (address, id) => void pins.set(address, id) },
      onIntroduction: (from, local) => links.introduced(from, local),
      ...more.rendezvous,
    });
    const links: LinkLayer = createLinks({
      ...common,
      registry,
      listen: { host: '127.0.0.1', port: 0 },
      policy: { isContact: () => false, isBlocked: () => false, hasUnfinishedTransfer: () => false },
      users: [],
      addressBook: { knownAddresses: () => [], reached: () => {} },
      rendezvous,
      ...more.links,
    });
    onTestFinished(async () => {
      await rendezvous.stop();
      await links.stop();
    });
    await links.start();
    rendezvous.start();
    return { id: identity.id, links, rendezvous };
  };
  const registered = (...nodes: Node[]): Promise<void> => until(() => nodes.every(({ rendezvous }) => rendezvous.status().every(({ state: is }) => is === 'registered')));
  const see = (node: Node, ...others: string[]): Promise<void> => until(() => others.every((id) => node.rendezvous.roster.get(id)) && node.rendezvous.roster.all().length === others.length);

  test('register, see each other, link; a link survives the rendezvous, which is found again', async () => {
    const server = await serve();
    const [a, b] = [await enter(alice, [server]), await enter(bob, [server])];
    await see(a, b.id);
    const link = await a.links.connect(b.id, soon());
    await until(() => b.links.get(a.id) !== undefined);
    const { address } = server;
    await server.stop();
    await until(() => a.rendezvous.status()[0]?.state === 'connecting' && b.rendezvous.status()[0]?.state === 'connecting');
    expect(a.rendezvous.status()[0]?.error?.code).toMatch(/^(retiring|rendezvous_unreachable)$/);
    expect(link.signal.aborted).toBe(false);
    await serve({ listen: address });
    await registered(a, b);
    await see(b, a.id);
    expect(a.links.get(b.id)).toBe(link);
  });

  test('a wildcard listener is reached through its candidates', async () => {
    const server = await serve();
    const [a, b] = [await enter(alice, [server], { links: { listen: { host: '0.0.0.0', port: 0 } } }), await enter(bob, [server], { links: { listen: { host: '::', port: 0 } } })];
    await see(a, b.id);
    expect(a.rendezvous.roster.get(b.id)?.addresses.length).toBeGreaterThan(0);
    await a.links.connect(b.id, soon());
  });

  test('only one of the two can be reached', async () => {
    const server = await serve();
    const a = await enter(alice, [server], { rendezvous: { addresses: () => [] } });
    // A port at which nobody listens, as behind a firewall that says no.
    const b = await enter(bob, [server], { rendezvous: { addresses: () => [{ host: '127.0.0.1', port: 1, kind: 'host' }] } });
    const c = await enter(carol, [server]);
    await Promise.all([see(a, b.id, c.id), see(b, a.id, c.id), see(c, a.id, b.id)]);
    expect((await a.links.connect(c.id, soon())).dialled).toBe(true);
    expect((await c.links.connect(b.id, soon())).dialled).toBe(false);
    const error = await failureOf(a.links.connect(b.id, AbortSignal.timeout(1_500)));
    expect(error).toMatchObject({ code: 'peer_unreachable' });
    expect((error as Error).message).toContain('127.0.0.1:1: ');
  });

  test('everybody with everybody, at the same moment: one link for each pair', async () => {
    const server = await serve();
    const nodes = [await enter(alice, [server]), await enter(bob, [server]), await enter(carol, [server])];
    await Promise.all(nodes.map((node) => see(node, ...nodes.filter((other) => other !== node).map(({ id }) => id))));
    await Promise.all(nodes.flatMap((node) => nodes.filter((other) => other !== node).map((other) => node.links.connect(other.id, soon()))));
    await until(() => nodes.every(({ links }) => links.all().length === 2));
    expect(nodes.flatMap(({ links }) => links.all()).filter(({ dialled }) => dialled)).toHaveLength(3);
  });

  test('after_connect = leave: each side obeys its own setting', async () => {
    const server = await serve();
    const [a, b] = [await enter(alice, [server], { rendezvous: { afterConnect: 'leave' } }), await enter(bob, [server])];
    await see(a, b.id);
    await a.links.connect(b.id, soon());
    await until(() => a.rendezvous.status()[0]?.state === 'left' && b.rendezvous.roster.all().length === 0);
    expect(b.rendezvous.status()[0]?.state).toBe('registered');
    await b.links.disconnect(a.id);
    await Promise.all([see(b, a.id), see(a, b.id)]);
  });

  test('a refused introduction is told apart from silence', async () => {
    const server = await serve();
    const [a, b] = [await enter(alice, [server]), await enter(bob, [server], { links: { admitIntroduction: async () => 'refused' as const } })];
    await see(a, b.id);
    expect(await failureOf(a.links.connect(b.id, soon()))).toMatchObject({ code: 'introduction_refused' });
  });

  test('an introduction that a person has to decide about is tried until the deadline, and told so', async () => {
    const server = await serve();
    const [a, b] = [await enter(alice, [server]), await enter(bob, [server], { links: { admitIntroduction: async () => 'pending' as const } })];
    await see(a, b.id);
    expect(await failureOf(a.links.connect(b.id, AbortSignal.timeout(1_000)))).toMatchObject({ code: 'introduction_pending', hint: expect.stringContaining('inbox') as string });
  });

  test('a room secret: who has it sees the roster, who has another one is refused', async () => {
    const roomSecretFile = join(state, 'secret');
    await writeFile(roomSecretFile, 'correct horse battery staple', { mode: 0o600 });
    const server = await serve({ roomSecretFile });
    const roomSecret = Buffer.from('correct horse battery staple');
    const [a, b] = [await enter(alice, [server], { rendezvous: { roomSecret } }), await enter(bob, [server], { rendezvous: { roomSecret } })];
    await see(a, b.id);
    const c = await enter(carol, [server], { rendezvous: { roomSecret: Buffer.from('wrong') } });
    await until(() => c.rendezvous.status()[0]?.state === 'refused');
    expect(c.rendezvous.status()[0]?.error).toMatchObject({ code: 'room_secret_wrong', message: expect.stringContaining('--room-secret-file') as string });
  });

  test('a full rendezvous says so', async () => {
    const server = await serve({ maxPeers: 1 });
    const a = await enter(alice, [server]);
    await registered(a);
    const b = await enter(bob, [server]);
    await until(() => b.rendezvous.status()[0]?.error?.code === 'rendezvous_full');
    expect(b.rendezvous.status()[0]?.state).toBe('refused');
  });

  test('two rendezvous: one roster, and either introduces', async () => {
    const [one, two] = [await serve(), await serve({ stateDir: await temporaryDirectory() })];
    const [a, b, c] = [await enter(alice, [one, two]), await enter(bob, [one]), await enter(carol, [two])];
    await Promise.all([see(a, b.id, c.id), see(b, a.id), see(c, a.id)]);
    await Promise.all([a.links.connect(b.id, soon()), a.links.connect(c.id, soon())]);
    expect(a.links.all()).toHaveLength(2);
  });
});
