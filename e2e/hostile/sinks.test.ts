/** Hostile peers and rendezvous say what would steer a terminal, in every field of text; then everything that was written is read. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  accept, cancel, chat, compared, entryFailed, failed, have, manifestRequest, noteMaxBytes, offered, reasonMaxBytes, reject, type RosterEntry, verifyCommit,
} from '@peerd/protocol';
import { loadIdentity, newUlid } from '@peerd/service';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type LyingRendezvous, startLyingRendezvous } from '../harness/lying-rendezvous.ts';
import { Command, type Daemon, programs } from '../harness/process.ts';
import { consent, deliver, directory, file, makeOffer, propose, type ScriptedEntry, type ScriptedOffer } from '../harness/scripted-offer.ts';
import { type ScriptedLink, ScriptedPeer, type Target, targetOf } from '../harness/scripted-peer.ts';
import { type Peer, type Rendezvous, World } from '../harness/world.ts';
import { evilNames, legalName, longEvil, steering, steeringOnTerminal, stringsIn } from './evil-text.ts';

/** All of what a daemon writes, in bytes. */
const recorded = (daemon: Daemon | undefined): Buffer[] => {
  const written: Buffer[] = [];
  for (const stream of [daemon?.child.stdout, daemon?.child.stderr]) stream?.on('data', (bytes: Buffer) => void written.push(bytes));
  return written;
};

const program = async (path: string, script: string): Promise<string> => {
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
};

describe('whatever a peer says, nothing of it steers', () => {
  let world: World;
  let rendezvous: Rendezvous;
  let victim: Peer;
  let target: Target;
  let metrics = '';
  let logs: { victim: Buffer[]; rendezvous: Buffer[] };
  const liars: LyingRendezvous[] = [];
  const mallories: ScriptedPeer[] = [];
  const links: ScriptedLink[] = [];
  /** What the admin port told while all of them were registered. */
  let registered = '';
  /** Of each hostile peer: transfers in every state. */
  const transfers: string[] = [];

  beforeAll(async () => {
    world = await World.create();
    rendezvous = await world.rendezvous({ args: ['--log-level', 'trace'] });
    // Two rendezvous that lie: one about its roster, one about why it lets nobody in.
    const [liar, refusing] = await Promise.all(['liar', 'refusing'].map((name) => loadIdentity(join(world.directory, name))));
    const forged: RosterEntry = { id: 'b'.repeat(52), name: evilNames[0] ?? '', epoch: 1, addresses: [{ host: `2001:db8::1%${evilNames[1]}`, port: 1, kind: 'host' }, { host: evilNames[2] ?? '', port: 1, kind: 'host' }, { host: '127.0.0.1', port: 1, kind: 'host' }] };
    if (!liar || !refusing) throw new Error('no keys');
    liars.push(
      await startLyingRendezvous(liar, () => forged, { name: evilNames[1] ?? '', agent: evilNames[2] ?? '' }),
      await startLyingRendezvous(refusing, () => forged, { refusal: { code: 'removed', message: longEvil(0, reasonMaxBytes), retryAfterMs: 3_600_000 } }),
    );
    const bin = join(world.directory, 'bin');
    await mkdir(bin);
    await program(join(bin, 'notify-send'), `printf '%s\\n' "$@" >>'${join(world.directory, 'shown')}'`);
    const hook = await program(join(world.directory, 'hook'), `env -0 | tr '\\0' '\\n' | grep ^PEERD_ >>'${join(world.directory, 'environment')}'; env -0 | grep -z ^PEERD_ | tail -z -n 20; printf 'evil0\\033[6;66H\\302\\2331m'`);
    victim = world.peer('victim', {
      args: [...liars.flatMap(({ address }) => ['--rendezvous', address]), '--log-level', 'trace', '--on-received', hook],
      prefix: ['env', `PATH=${bin}:${process.env['PATH'] ?? ''}`, 'DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent'],
    });
    await victim.start();
    metrics = String(victim.daemon?.log.map((line) => JSON.parse(line) as { metrics?: string }).find((line) => line.metrics !== undefined)?.metrics);
    logs = { victim: recorded(victim.daemon), rendezvous: recorded(rendezvous.daemon) };
    target = await targetOf(victim);
    for (const [index, name] of [...evilNames, legalName].entries()) {
      const mallory = await ScriptedPeer.create(join(world.directory, `mallory${index}`), name);
      mallory.agent = name;
      mallories.push(mallory);
    }
    await Promise.all(mallories.map((mallory, index) => (index < evilNames.length ? misbehave(mallory, index) : behave(mallory))));
    registered = await (await fetch(`http://${rendezvous.admin}/v1/peers`)).text();
  });
  afterAll(async () => {
    for (const mallory of mallories) mallory[Symbol.dispose]();
    for (const liar of liars) liar.close();
    await world?.[Symbol.asyncDispose]();
  });

  const linked = async (mallory: ScriptedPeer): Promise<ScriptedLink> => {
    const registration = await mallory.register(rendezvous.address, [await mallory.listen()]);
    expect(await mallory.introduce(registration, victim.id)).toBeDefined();
    return mallory.link(target);
  };
  const behave = async (mallory: ScriptedPeer): Promise<void> => {
    const link = await linked(mallory);
    await propose(link, makeOffer([file([legalName])]));
  };

  const misbehave = async (mallory: ScriptedPeer, index: number): Promise<void> => {
    const name = evilNames[index] ?? '';
    const reason = longEvil(index, reasonMaxBytes);
    const link = await linked(mallory);
    links[index] = link;
    link.say(chat, { id: newUlid(), text: longEvil(index, 2_000), sentAt: 1 });
    const entries: ScriptedEntry[] = [file([`${index}-${name}`]), directory(name), file([name, name]), file([name, Buffer.from([0x80 + index, 0x1b, 0x9b])])];
    const offerOf = (): ScriptedOffer => makeOffer(entries, { announced: { note: longEvil(index, noteMaxBytes), group: newUlid() } });
    // In the inbox; accepted and delivered, twice, the second one under other names; with entries that can't be sent; given up; taken back.
    const [waiting, first, again, partial, broken, back] = [offerOf(), offerOf(), offerOf(), offerOf(), offerOf(), offerOf()];
    transfers.push(...[waiting, first, again, partial, broken, back].map(({ transfer }) => transfer));
    await propose(link, waiting);
    for (const offer of [first, again, partial, broken]) {
      await propose(link, offer);
      await victim.json('accept', offer.transfer);
      await consent(link, offer);
      if (offer === broken) link.say(failed, { transfer: offer.transfer, code: 'io_error', message: reason });
      else if (offer === partial) for (const entry of [0, 2, 3]) link.say(entryFailed, { transfer: offer.transfer, entry, code: 'source_changed', message: reason });
      else await deliver(mallory, target, link, offer);
    }
    await propose(link, back);
    link.say(cancel, { transfer: back.transfer, message: reason });
    // What the victim asks: each answer is as long as it may be.
    await writeFile(join(victim.directory, `gift${index}`), 'x');
    const question = victim.command(['send', mallory.id, `gift${index}`, '--dry-run']);
    const { transfer } = await link.next('compare');
    link.say(compared, { transfer, reason: 'unable', message: reason });
    outputs.set(`send --dry-run ${index}`, (await question.result).stdout);
    const send = victim.command(['send', mallory.id, `gift${index}`]);
    const offer = await link.next('offer');
    link.say(manifestRequest, { transfer: offer.transfer, fromPage: 0 });
    link.say(offered, { transfer: offer.transfer });
    link.say(reject, { transfer: offer.transfer, code: 'rejected', message: reason });
    const rejected = await send.result;
    expect(rejected.code).toBe(5);
    transfers.push(offer.transfer);
    outputs.set(`send ${index}`, rejected.stdout + rejected.stderr);
    link.say(verifyCommit, { commitment: randomBytes(32) });
    await victim.json('chat', mallory.id, 'well?');
  };

  /** What commands said while all that happened. */
  const outputs = new Map<string, string>();
  const run = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await victim.run(...args);
    return stdout + stderr;
  };
  const marks = (text: string): number[] => evilNames.flatMap((_, index) => (text.includes(`evil${index}`) ? [index] : []));

  test('peerctl: each command, for people and for programs', async () => {
    const ids = mallories.map(({ id }) => id.slice(0, 12));
    const everything: string[][] = [
      ['peers'], ['contacts'], ['inbox'], ['transfers'], ['history'], ['receipts'], ['status'], ['doctor'],
      ...transfers.flatMap((id) => [['show', id], ['why', id]]),
      ...ids.slice(0, evilNames.length).flatMap((id) => [['chat', id, '--history', '9'], ['policy', id], ['trust', id]]),
    ];
    const found = new Map<string, string>();
    const queue = everything.flatMap((args) => [args, ['--json', ...args]]);
    const work = async (): Promise<void> => {
      for (let args = queue.shift(); args; args = queue.shift()) found.set(args.join(' '), await run(...args));
    };
    // Tried until its deadline.
    const unreachable = ['', '--json '].map(async (prefix) => void found.set(`${prefix}connect`, await run(...`${prefix}connect ${'b'.repeat(52)}`.split(' '))));
    await Promise.all([work(), work(), ...unreachable]);
    for (const [command, text] of [...found, ...outputs]) {
      expect([command, steering(text)]).toEqual([command, []]);
      if (command.startsWith('--json'))
        for (const line of text.trim().split('\n')) expect([command, stringsIn(JSON.parse(line)).flatMap(steering)]).toEqual([command, []]);
    }
    for (const command of ['peers', 'contacts', 'inbox', 'transfers', 'history', 'receipts']) for (const prefix of ['', '--json ']) expect([command, marks(found.get(prefix + command) ?? '')]).toEqual([command, [0, 1, 2]]);
    for (const [index] of evilNames.entries()) for (const command of ['send', 'send --dry-run']) expect(marks(outputs.get(`${command} ${index}`) ?? '')).toContain(index);
    expect(marks(found.get('status') ?? '')).toContain(0);
    expect(marks(found.get('doctor') ?? '')).toEqual(expect.arrayContaining([0, 2]));
    // Names of people stay what they are.
    for (const command of ['peers', 'inbox']) expect(found.get(command)).toContain(legalName);
  });

  const onTerminal = (args: string): Command => {
    const words = ['-qec', `stty cols 200 rows 60; exec ${process.execPath} ${programs.peerctl} --socket ${victim.socket} ${args}`, '/dev/null'];
    return new Command('-q', words, { env: { ...victim.environment, TERM: 'xterm-256color', NO_COLOR: '' }, cwd: victim.directory, executable: 'script' });
  };

  test('peerctl on a terminal, and what shells are offered', async () => {
    const peer = mallories[1]?.id.slice(0, 12) ?? '';
    const shown = async (args: string): Promise<string> => (await onTerminal(args).result).stdout;
    for (const args of ['doctor', `why ${transfers[1]}`, 'status', 'peers', 'inbox', 'transfers', 'history', `chat ${peer} --history 9`, `show ${transfers[1]}`]) {
      const text = await shown(args);
      expect([args, steeringOnTerminal(text)]).toEqual([args, []]);
      expect([args, marks(text).length]).not.toEqual([args, 0]);
    }
    // The first word, or it is no question of a shell: the socket stands in the environment.
    const offered = async (words: string[]): Promise<string> => {
      const env = { ...victim.environment, PEERCTL_SOCKET: victim.socket };
      return (await new Command(programs.peerctl, ['__complete', ...words], { env, cwd: victim.directory }).result).stdout.trimEnd();
    };
    // Those of the lying roster are one more; of the well-behaved one there is one transfer.
    const [peers, waiting, all] = [mallories.length + 1, mallories.length, transfers.length + 1];
    const questions: [words: string[], candidates: number][] = [
      [['bash', 'peerctl chat '], peers], [['zsh', 'peerctl', 'chat', ''], peers], [['fish', 'peerctl', 'chat', ''], peers],
      [['bash', 'peerctl accept '], waiting], [['zsh', 'peerctl', 'accept', ''], waiting], [['fish', 'peerctl', 'show', ''], all],
    ];
    for (const [words, candidates] of questions) {
      const answer = await offered(words);
      // As bash reads it: it is told each character that is no letter with a backslash, within an emoji too.
      const text = words[0] === 'bash' ? answer.replaceAll(/\\(.)/gu, '$1') : answer;
      // What a shell inserts and what it shows beside it are parted by a tab.
      expect([words, steering(text.replaceAll('\t', ''))]).toEqual([words, []]);
      // The first line says which paths the shell adds.
      expect([words, text.split('\n').length - 1]).toEqual([words, candidates]);
      if (words[0] !== 'bash') expect([words, marks(text)]).toEqual([words, [0, 1, 2]]);
    }
  });

  test('a conversation and a comparison of codes', async () => {
    const [mallory] = mallories;
    if (!mallory) throw new Error('nobody');
    const follow = victim.command(['chat', mallory.id, '--follow']);
    const verify = victim.command(['verify', mallory.id]);
    const heard = (command: Command): Promise<unknown> => once(command.child.stdout ?? command.child, 'data');
    const link = links[0];
    let follows = false;
    void heard(follow).then(() => (follows = true));
    await heard(verify);
    // Said until it is heard: nothing tells from outside when somebody follows.
    await vi.waitFor(() => {
      link?.say(chat, { id: newUlid(), text: evilNames[0], sentAt: 1 });
      expect(follows).toBe(true);
    }, { timeout: 30_000, interval: 200 });
    for (const command of [follow, verify]) {
      const { stdout, stderr } = await command.end('SIGINT');
      expect(steering(stdout + stderr)).toEqual([]);
    }
  });

  test('a comparison and a transfer on a terminal, while they go on', async () => {
    // Names of our own files may be anything too: they were received once.
    const gifts = join(victim.directory, 'gifts');
    await mkdir(gifts);
    for (const name of evilNames) await writeFile(join(gifts, name.replaceAll('/', '|')), randomBytes(1_000));
    for (const [index, mallory] of mallories.slice(0, evilNames.length).entries()) {
      const link = links[index];
      if (!link) throw new Error('no link');
      const verify = onTerminal(`verify ${mallory.id}`);
      await once(verify.child.stdout ?? verify.child, 'data');
      const send = onTerminal(`send ${mallory.id} gifts/*`);
      const { transfer, offerRoot } = await link.next('offer');
      link.say(manifestRequest, { transfer, fromPage: 0 });
      link.say(offered, { transfer });
      link.say(accept, { transfer, offerRoot });
      link.say(have, { transfer, start: 0, hashes: Buffer.alloc(0), last: true });
      // It is about to send: the line that shows how far it is stands there.
      await link.nextOf(['data-request', 'data-token'], ({ body }) => (body as { transfer?: string }).transfer === transfer);
      link.say(failed, { transfer, code: 'io_error', message: longEvil(index, reasonMaxBytes) });
      const told = [['send', (await send.result).stdout], ['verify', (await verify.end()).stdout]] as const;
      for (const [command, text] of told) expect([command, steeringOnTerminal(text), marks(text).includes(index)]).toEqual([command, [], true]);
    }
  });

  test('the pretty log of a daemon on a terminal', async () => {
    const words = [programs.peerd, '--name', 'watched', '--listen', '127.0.0.1:0', '--control', join(world.directory, 'watched.run/s'), '--state-dir', join(world.directory, 'watched'), '--metrics', '127.0.0.1:0', '--log-level', 'trace',
      ...liars.flatMap(({ address }) => ['--rendezvous', address])];
    const daemon = new Command('-q', ['-qec', `exec ${process.execPath} ${words.join(' ')}`, '/dev/null'], { env: { ...victim.environment, TERM: 'xterm-256color', NO_COLOR: '' }, cwd: world.directory, executable: 'script' });
    let text = '';
    daemon.child.stdout?.on('data', (bytes: string) => (text += bytes));
    // Why the second one lets nobody in.
    await vi.waitFor(() => expect(marks(text)).toContain(0), { timeout: 20_000 });
    daemon.child.kill('SIGTERM');
    const { stdout } = await daemon.result;
    expect(steeringOnTerminal(stdout)).toEqual([]);
    // Nor does anybody write a line of his own: each begins as ours do.
    expect(stdout.split('\n').filter((line) => !/^(?:\[\d\d:\d\d:\d\d\.\d{3}\] | |$)/.test(line))).toEqual([]);
  });

  test('the logs of both daemons, at their most talkative', async () => {
    for (const [who, written] of Object.entries(logs)) {
      const text = Buffer.concat(written).toString('utf8');
      expect([who, steering(text)]).toEqual([who, []]);
      expect([who, marks(text)]).toEqual([who, [0, 1, 2]]);
      for (const line of text.trim().split('\n')) expect([who, stringsIn(JSON.parse(line)).map((value) => value.replaceAll('\n', '')).flatMap(steering)]).toEqual([who, []]);
    }
  });

  test('metrics name nobody, and the admin port escapes', async () => {
    for (const address of [metrics, rendezvous.admin]) {
      const text = await (await fetch(`http://${address}/metrics`)).text();
      expect([steering(text), marks(text)]).toEqual([[], []]);
    }
    const peers = registered;
    expect([steering(peers), stringsIn(JSON.parse(peers)).flatMap(steering), marks(peers)]).toEqual([[], [], [0, 1, 2]]);
    const missing = await (await fetch(`http://${rendezvous.admin}/${encodeURIComponent(evilNames[0] ?? '')}`)).text();
    expect(steering(missing)).toEqual([]);
  });

  test('programs that are started, and the desktop', async () => {
    const environment = await vi.waitFor(
      async () => {
        const text = await readFile(join(world.directory, 'environment'), 'utf8');
        expect(marks(text)).toEqual([0, 1, 2]);
        return text;
      },
      { timeout: 20_000 },
    );
    expect(steering(environment)).toEqual([]);
    const shown = await readFile(join(world.directory, 'shown'), 'utf8');
    expect(steering(shown)).toEqual([]);
    expect(marks(shown).length).toBeGreaterThan(0);
  });

  test('text that is none ends the link', async () => {
    const mallory = await ScriptedPeer.create(join(world.directory, 'plain'), 'plain');
    mallories.push(mallory);
    await mallory.pinnedAt(victim);
    const link = await mallory.link(target);
    // {code: h'' as text, …} with a byte that begins nothing.
    link.frame(chat.type, Buffer.from([0xa3, 0x62, 0x69, 0x64, 0x61, 0xff, 0x64, 0x74, 0x65, 0x78, 0x74, 0x61, 0xff, 0x66, 0x73, 0x65, 0x6e, 0x74, 0x41, 0x74, 0x01]));
    expect(await link.ended).toBe('malformed_frame');
  });
});
