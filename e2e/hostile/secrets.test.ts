/** Secrets that are known here are looked for in everything that the daemons write and tell. */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { chat, dataRequest, verifyCommit, verifyNonceBytes, verifyReveal } from '@peerd/protocol';
import { newUlid } from '@peerd/service';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Daemon } from '../harness/process.ts';
import { consent, file, makeOffer, propose } from '../harness/scripted-offer.ts';
import { ScriptedPeer, targetOf } from '../harness/scripted-peer.ts';
import { type Peer, type Rendezvous, World } from '../harness/world.ts';
import { formsOf, formsOfKeyIn } from './secret-forms.ts';

const roomSecret = 'open sesame, said Ali Baba';
const isRoot = process.getuid?.() === 0;

const recorded = (daemon: Daemon | undefined): Buffer[] => {
  const written: Buffer[] = [Buffer.from(daemon?.log.join('\n') ?? '')];
  for (const stream of [daemon?.child.stdout, daemon?.child.stderr]) stream?.on('data', (bytes: Buffer) => void written.push(bytes));
  return written;
};

describe('secrets and doors', () => {
  let world: World;
  let rendezvous: Rendezvous;
  let alice: Peer;
  let bob: Peer;
  let mallory: ScriptedPeer;
  const written = new Map<string, Buffer[]>();
  const secrets = new Map<string, Buffer[]>();
  const metricsOf = (peer: Peer): string => String(peer.daemon?.log.map((line) => JSON.parse(line) as { metrics?: string }).find((line) => line.metrics !== undefined)?.metrics);

  beforeAll(async () => {
    world = await World.create();
    const secretFile = join(world.directory, 'room-secret');
    await writeFile(secretFile, roomSecret, { mode: 0o600 });
    const args = ['--room-secret-file', secretFile, '--log-level', 'trace'];
    rendezvous = await world.rendezvous({ args });
    written.set('rendezvous', recorded(rendezvous.daemon));
    [alice, bob] = await world.peersInOneRoom(['alice', 'bob'], { args });
    for (const peer of [alice, bob]) written.set(peer.name, recorded(peer.daemon));
    mallory = await ScriptedPeer.create(join(world.directory, 'mallory'), 'mallory');
    await mallory.pinnedAt(bob);
    secrets.set('the secret of the room', formsOf(roomSecret));
    secrets.set('the admin token', formsOf(readFileSync(join(rendezvous.directory, 'state/admin-token'), 'utf8').trim()));
    for (const { directory } of [rendezvous, alice, bob]) secrets.set(`the key in ${directory}`, formsOfKeyIn(join(directory, 'state')));
    // A token that was used for nothing, and the nonce of a comparison.
    const link = await mallory.link(await targetOf(bob));
    const offer = makeOffer([file(['x'], 'content')]);
    await propose(link, offer);
    await bob.json('accept', offer.transfer);
    await consent(link, offer);
    link.say(dataRequest, { transfer: offer.transfer });
    secrets.set('the token of a data connection', formsOf((await link.next('data-token')).token));
    const verify = bob.command(['--json', 'verify', mallory.id]);
    const { commitment } = await link.next('verify-commit');
    link.say(verifyCommit, { commitment: Buffer.alloc(32, 7) });
    secrets.set('the nonce of a comparison', formsOf((await link.next('verify-reveal')).nonce));
    link.say(verifyReveal, { nonce: Buffer.alloc(verifyNonceBytes, 8), to: commitment });
    await verify.end('SIGINT');
    link.say(chat, { id: newUlid(), text: 'a text', sentAt: 1 });
    await link.next('chat-ack');
    await writeFile(join(alice.directory, 'note'), 'x');
    await alice.run('send', 'bob', 'note', '--detach');
    await bob.seesTransfer(({ peer, state }) => peer.id === alice.id && state === 'offered');
  });
  afterAll(async () => {
    mallory?.[Symbol.dispose]();
    await world?.[Symbol.asyncDispose]();
  });

  const found = (bytes: Buffer): string[] => [...secrets].filter(([, forms]) => forms.some((form) => bytes.includes(form))).map(([what]) => what);

  test('no secret stands in a log, a metric, an answer, or the arguments of a process', async () => {
    for (const [who, pieces] of written) {
      const text = Buffer.concat(pieces);
      expect([who, text.length > 500, found(text)]).toEqual([who, true, []]);
    }
    for (const daemon of [rendezvous.daemon, alice.daemon, bob.daemon]) for (const what of ['cmdline', 'environ']) expect(found(readFileSync(`/proc/${daemon?.pid}/${what}`))).toEqual([]);
    for (const path of ['/metrics', '/v1/peers', '/openapi.json']) expect(found(Buffer.from(await (await fetch(`http://${rendezvous.admin}${path}`)).text()))).toEqual([]);
    for (const [peer, other] of [[alice, bob.id], [bob, mallory.id]] as const) {
      expect(found(Buffer.from(await (await fetch(`http://${metricsOf(peer)}/metrics`)).text()))).toEqual([]);
      const { transfers } = await peer.json<{ transfers: { id: string }[] }>('transfers');
      for (const args of [['status'], ['whoami'], ['doctor'], ['peers'], ['contacts'], ['inbox'], ['transfers'], ['history'], ['receipts'], ['usage'], ['policy', other], ['chat', other, '--history', '9'], ...transfers.flatMap(({ id }) => [['show', id], ['why', id]])]) {
        for (const words of [args, ['--json', ...args]]) {
          const { stdout, stderr } = await peer.run(...words);
          expect([words, found(Buffer.from(stdout + stderr))]).toEqual([words, []]);
        }
      }
    }
  });

  test('a secret that is wrong or can not be used is told of, and not told', async () => {
    const [wrong, short] = ['open barley, he said', 'short'];
    for (const [name, secret] of [['wrong', wrong], ['short', short]] as const) {
      const path = join(world.directory, `secret-${name}`);
      await writeFile(path, secret, { mode: 0o600 });
      const peer = world.peer(name, { args: ['--room-secret-file', path, '--log-level', 'trace'] });
      const started = await peer.start().then(() => true, () => false);
      expect([name, started]).toEqual([name, secret === wrong]);
      const told = ['status', 'doctor'].map((command) => peer.run('--json', command));
      if (started) await expect.poll(() => peer.logs.some((line) => line.includes('room_secret_wrong')), { timeout: 20_000 }).toBe(true);
      const text = Buffer.from([...peer.logs, ...(await Promise.all(told)).flatMap(({ stdout, stderr }) => [stdout, stderr])].join('\n'));
      expect([name, text.length > 100, found(text), formsOf(secret).slice(1).some((form) => text.includes(form)), secret === wrong && text.includes(secret)]).toEqual([name, true, [], false, false]);
      await peer.end();
    }
    expect(found(Buffer.from(rendezvous.logs.join('\n')))).toEqual([]);
  });

  test('no unit lets a core be written', () => {
    const units = ['apps/peerd/systemd/peerd.service', 'apps/peerd/systemd/user/peerd.service', 'apps/rendezvous/systemd/rendezvous.service'];
    for (const unit of units) expect([unit, readFileSync(new URL(`../../${unit}`, import.meta.url), 'utf8').split('\n').filter((line) => line.startsWith('LimitCORE'))]).toEqual([unit, ['LimitCORE=0']]);
  });

  test('on the disk they stand only where nobody else reads', () => {
    const files = execFileSync('find', [world.directory, '-type', 'f'], { encoding: 'utf8' }).trim().split('\n');
    const bearing = files.filter((path) => found(readFileSync(path)).length > 0);
    expect(bearing.length).toBeGreaterThanOrEqual(5);
    for (const path of bearing) expect([path, (statSync(path).mode & 0o777).toString(8)]).toEqual([path, '600']);
    for (const { directory } of [rendezvous, alice, bob]) expect(statSync(join(directory, 'state')).mode & 0o077).toBe(0);
  });

  test.skipIf(!isRoot)('another user does not get in at the control socket, by its directory or by itself', async () => {
    const script = "require('net').connect(process.argv[1]).on('connect', function () { console.log('in'); this.destroy(); }).on('error', ({ code }) => console.log(code)).on('close', () => process.exit())";
    const asNobody = (): string => execFileSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '-e', script, alice.socket], { encoding: 'utf8', cwd: '/' }).trim();
    for (const directory of [world.directory, alice.directory]) await chmod(directory, 0o755);
    expect(asNobody()).toBe('EACCES');
    // The mode of the socket alone holds too.
    await chmod(join(alice.directory, 'run'), 0o755);
    expect(asNobody()).toBe('EACCES');
    await chmod(alice.socket, 0o666);
    expect(asNobody()).toBe('in');
    await chmod(alice.socket, 0o600);
    await chmod(join(alice.directory, 'run'), 0o700);
  });

  const statusOf = (address: string, method: string, path: string, headers: Record<string, string>): Promise<number> =>
    new Promise((resolve, reject) => {
      const [host, port] = address.split(':');
      request({ host, port: Number(port), method, path, headers, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      }).on('error', reject).end();
    });

  test('a web page reaches nothing of the control API, and changes nothing at a rendezvous', async () => {
    const metrics = metricsOf(alice);
    const evil = { origin: 'http://evil.example' };
    for (const path of ['/v1/whoami', '/v1/status', '/v1/transfers', '/v1/messages']) for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) expect([path, method, await statusOf(metrics, method, path, evil)]).toEqual([path, method, 404]);
    const token = readFileSync(join(rendezvous.directory, 'state/admin-token'), 'utf8').trim();
    const registered = `/v1/peers/${alice.id}`;
    const bearer = { authorization: `Bearer ${token}` };
    const cases: [address: string, method: string, path: string, headers: Record<string, string>, status: number][] = [];
    for (const address of [rendezvous.admin, metrics]) {
      for (const path of ['/metrics', '/healthz', '/readyz']) {
        cases.push([address, 'GET', path, {}, 200], [address, 'GET', path, evil, 200], [address, 'GET', path, { host: 'localhost' }, 200], [address, 'GET', path, { host: '[::1]:1' }, 200]);
        for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '0x7f.1']) cases.push([address, 'GET', path, { host }, 400]);
      }
    }
    cases.push([rendezvous.admin, 'GET', '/v1/peers', evil, 200], [rendezvous.admin, 'GET', '/v1/peers', { host: 'evil.example', ...bearer }, 400]);
    for (const method of ['DELETE']) {
      for (const headers of [{}, evil, { authorization: 'Bearer x' }, { authorization: `Basic ${token}` }, { cookie: `token=${token}` }]) cases.push([rendezvous.admin, method, registered, headers, 401]);
      cases.push([rendezvous.admin, method, registered, { host: 'evil.example', ...bearer }, 400], [rendezvous.admin, method, `/v1/peers/${'a'.repeat(52)}`, bearer, 404]);
    }
    for (const method of ['POST', 'PUT', 'PATCH', 'OPTIONS']) cases.push([rendezvous.admin, method, registered, bearer, 404]);
    for (const [address, method, path, headers, status] of cases) expect([method, path, headers, await statusOf(address, method, path, headers)]).toEqual([method, path, headers, status]);
    // No page of another origin may read an answer.
    const { headers } = await fetch(`http://${rendezvous.admin}/v1/peers`, { headers: evil });
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    await alice.seesPeers((seen) => seen.some(({ id }) => id === bob.id));
  });
});
