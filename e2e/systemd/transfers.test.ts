/** Transfers between peerd as a system service and peerd as a person's own service, while systemd stops and starts them. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFailed, test } from 'vitest';
import { until } from '../containers/harness/poll.ts';
import { Machine } from '../machine/machine.ts';
import { journal } from './host.ts';

const unavailable = inject('noMachine');
const MiB = 1024 * 1024;

interface Detail {
  state: string;
  chunks: { reused: number; rewritten: number };
}

describe('transfers across systemctl stop', () => {
  let machine: Machine;
  beforeAll(async () => {
    if (unavailable !== undefined) return;
    machine = await Machine.boot('installed');
    await machine.ok('useradd --create-home alice && loginctl enable-linger alice');
    await machine.write('/etc/peerd/peerd.toml', 'name = "host"\nrendezvous = ["127.0.0.1:12000"]\naccept = "auto"\ndownload_dir = "/srv/peerd"');
    await machine.write('~/.config/peerd/peerd.toml', 'name = "alice"\nrendezvous = ["127.0.0.1:12000"]', 'alice');
    await machine.ok('systemctl enable --now rendezvous peerd');
    await until('the manager of a user who is not logged in', () => machine.run('systemctl --user is-system-running', 'alice'), ({ stdout }) => stdout.trim() === 'running');
    await machine.ok('systemctl --user enable --now peerd', 'alice');
    await until('they see each other', () => machine.json<{ peers: { name: string; state: string }[] }>('peerctl --json peers', 'alice'), ({ peers }) => peers.some(({ name, state }) => name === 'host' && state === 'online'));
  });
  afterAll(() => machine?.[Symbol.asyncDispose]());
  beforeEach(({ skip }) => {
    skip(unavailable !== undefined, unavailable);
    onTestFailed(async () => console.error((await machine.run('journalctl --no-pager --lines=100')).stdout));
  });

  /** Half a gibibyte on its way from alice to the host, slow enough to be stopped, and the end of the command that sends it. */
  const underWay = async (name: string): Promise<{ id: string; exited: Promise<number> }> => {
    await machine.ok(`head -c ${512 * MiB} /dev/urandom >${name}`, 'alice');
    const send = machine.start(`peerctl --json send host ${name} --limit-rate 32M`, 'alice');
    const exited = once(send, 'exit').then(([code]) => code as number);
    if (!send.stdout) throw new Error('no output');
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    createInterface({ input: send.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as { event: string; id: string; bytesDone?: number };
      if (line.event === 'progress' && (line.bytesDone ?? 0) > 64 * MiB) resolve(line.id);
    });
    void exited.then((code) => reject(new Error(`send ended with ${code} before it was stopped`)));
    return { id: await promise, exited };
  };

  const arrived = async (id: string, name: string): Promise<void> => {
    const detail = await machine.json<Detail>(`peerctl --json show ${id}`);
    expect(detail).toMatchObject({ state: 'done', chunks: { rewritten: 0 } });
    expect(detail.chunks.reused).toBeGreaterThan(0);
    expect(detail.chunks.reused).toBeLessThan(512);
    await machine.ok(`cmp /srv/peerd/${name} /home/alice/${name}`);
    expect(await machine.ok(`stat -c '%U %G' /srv/peerd/${name}`)).toBe('peerd peerd');
  };

  test('of the receiver, a system service: it resumes at the next start', async () => {
    const { id, exited } = await underWay('to-the-service');
    await machine.ok('systemctl stop peerd.socket peerd');
    expect(await machine.property('peerd', 'Result')).toBe('success');
    expect(await machine.json(`peerctl --json show ${id}`, 'alice')).toMatchObject({ state: expect.not.stringMatching(/^(done|failed)$/) as string });
    await machine.ok('systemctl start peerd');
    expect(await exited).toBe(0);
    await arrived(id, 'to-the-service');
    expect((await journal(machine, 'peerd')).some(({ line }) => Object.values(line).includes(id))).toBe(true);
  });

  test('of the sender, a user service: it resumes at the next start, and peerctl waits for it', async () => {
    const { id, exited } = await underWay('from-the-user');
    await machine.ok('systemctl --user stop peerd', 'alice');
    expect(await machine.json(`peerctl --json show ${id}`)).toMatchObject({ state: expect.not.stringMatching(/^(done|failed)$/) as string });
    await machine.ok('systemctl --user start peerd', 'alice');
    expect(await exited).toBe(0);
    await arrived(id, 'from-the-user');
  });

  test('the socket of a user service is for that user alone', async () => {
    expect(await machine.ok(`stat -c '%a %U' "$XDG_RUNTIME_DIR"/peerd "$XDG_RUNTIME_DIR"/peerd/peerd.sock`, 'alice')).toBe('700 alice\n600 alice');
  });
});
