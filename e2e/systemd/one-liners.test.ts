/** The systemd-run lines of docs/operations.md, as they stand there. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFailed, test } from 'vitest';
import { until } from '../containers/harness/poll.ts';
import { Machine } from '../machine/machine.ts';

const unavailable = inject('noMachine');

/** The commands of the fenced blocks below a heading. */
const commands = async (heading: string): Promise<string[]> => {
  const text = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const section = text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = '']) => block.split('\n')).filter((line) => line !== '');
};

describe('throw-away daemons', () => {
  let machine: Machine;
  beforeAll(async () => {
    if (unavailable !== undefined) return;
    machine = await Machine.boot('installed');
    await machine.ok('useradd --create-home alice && loginctl enable-linger alice');
    await until('the manager of a user who is not logged in', () => machine.run('systemctl --user is-system-running', 'alice'), ({ stdout }) => stdout.trim() === 'running');
  });
  afterAll(() => machine?.[Symbol.asyncDispose]());
  beforeEach(({ skip }) => {
    skip(unavailable !== undefined, unavailable);
    onTestFailed(async () => console.error((await machine.run('journalctl --no-pager --lines=60')).stdout));
  });

  test('start, see each other, and leave nothing behind', async () => {
    const [rendezvous = '', peerd = '', status = '', mine = '', peers = '', ...rest] = await commands('Throw-away daemons');
    expect(rest).toEqual([]);
    for (const line of [rendezvous, peerd]) await machine.ok(line);
    expect(await machine.ok('systemctl is-active try-rendezvous try-peerd')).toBe('active\nactive');
    await until('it is registered', () => machine.ok(status), (text) => /127\.0\.0\.1:12100 .*registered/.test(text));
    await machine.ok(mine, 'alice');
    await until('they see each other', () => machine.ok(peers, 'alice'), (text) => /^try\b.*\b(online|linked)\b/m.test(text));

    await machine.ok('systemctl --user stop try-peerd', 'alice');
    await machine.ok('systemctl stop try-peerd try-rendezvous');
    expect(await machine.ok('find /run /var /home /tmp -name "try-*" -o -name identity.key')).toBe('');
  });
});
