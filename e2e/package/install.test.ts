/** The release archive on a bare machine: installed as root and as a user, upgraded over, removed. */
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, inject, onTestFailed, test } from 'vitest';
import { until } from '../containers/harness/poll.ts';
import { Machine } from '../machine/machine.ts';

const unavailable = inject('noMachine');
const release = inject('releaseDirectory');
/** The same as if it were a later release. */
const later = '/tmp/peerd-later';

/** Everything on disk, without what the test itself puts there. */
const snapshot = (machine: Machine): Promise<string> =>
  machine.ok(`find / -xdev \\( -path /proc -o -path /sys -o -path /tmp -o -path /var/tmp -o -path /run \\) -prune -o -print | sort`);
const added = (before: string, after: string): string[] => {
  const known = new Set(before.split('\n'));
  expect(known).toContain('/usr/bin/dpkg');
  return after.split('\n').filter((path) => !known.has(path));
};

/** With another version, and a unit less. */
const makeLater = (machine: Machine): Promise<string> =>
  machine.ok(`cp -r ${release} ${later} && cd ${later} && echo 99.0.0 >VERSION && rm systemd/user/peerd.socket && find . -type f ! -name SHA256SUMS -print0 | xargs -0 sha256sum >SHA256SUMS`);

describe('the release on a bare machine', () => {
  let machine: Machine;
  beforeEach(async ({ skip }) => {
    skip(unavailable !== undefined, unavailable);
    onTestFailed(async () => console.error((await machine.run('ls -lR /usr/local /home/alice/.local 2>/dev/null | head -100')).stdout));
    machine = await Machine.bare();
  });
  afterEach(() => machine?.[Symbol.asyncDispose]());

  test('as root: installed for everybody, upgraded over, removed, purged', async () => {
    expect((await machine.run('node --version')).code).not.toBe(0);
    const before = await snapshot(machine);

    expect(await machine.ok(`${release}/install.sh`)).toContain('installed 0.');
    for (const program of ['peerd', 'peerctl', 'rendezvous']) expect(await machine.ok(`${program} --version`)).toMatch(/^\d+\.\d+\.\d+$/);
    expect(await machine.ok('getent passwd peerd && stat -c "%a %U %G" /srv/peerd')).toMatch(/nologin\n2770 peerd peerd$/);
    const installed = added(before, await snapshot(machine));
    for (const path of installed) expect(path).toMatch(/^(\/usr\/local\/(bin|lib|share)\/|\/etc\/(peerd|passwd|group|g?shadow)|\/srv\/peerd)/);
    expect(installed).toContain('/usr/local/lib/systemd/system/rendezvous.service');

    await machine.ok('echo "max_peers = 7" >/etc/peerd/rendezvous.toml');
    await makeLater(machine);
    expect(await machine.ok(`${later}/install.sh`)).toMatch(/upgraded from \S+ to 99\.0\.0-/);
    expect(await machine.ok('ls /usr/local/lib/peerd')).toMatch(/^99\.0\.0-\w{8}\ncurrent\ninstalled$/);
    expect(await machine.ok('cat /etc/peerd/rendezvous.toml')).toBe('max_peers = 7');
    expect((await machine.run('ls /usr/local/lib/systemd/user/peerd.socket')).code).not.toBe(0);
    expect(await machine.ok('peerctl --version')).toMatch(/^\d/);
    expect(await machine.ok(`${later}/install.sh`)).toContain('was installed already');

    await machine.ok('install -D -m 600 /dev/null /var/lib/peerd/identity.key && touch /srv/peerd/received');
    expect(await machine.ok('/usr/local/lib/peerd/current/install.sh --remove')).toContain('removed');
    const removed = added(before, await snapshot(machine)).filter((path) => !/^\/etc\/\S+-$/.test(path));
    expect(removed).toEqual(['/etc/peerd', '/etc/peerd/peerd.toml', '/etc/peerd/rendezvous.toml', '/srv/peerd', '/srv/peerd/received', '/var/lib/peerd', '/var/lib/peerd/identity.key']);
    expect(await machine.run(`${release}/install.sh --remove`)).toMatchObject({ code: 1, stderr: 'install.sh: nothing is installed in /usr/local\n' });

    await machine.ok(`${release}/install.sh && ${release}/install.sh --purge`);
    expect(added(before, await snapshot(machine)).filter((path) => !/^\/etc\/\S+-$/.test(path))).toEqual(['/srv/peerd', '/srv/peerd/received']);
    expect((await machine.run('id peerd')).code).not.toBe(0);
  });

  test('as a user: in the home alone, and it runs from there', async () => {
    await machine.ok('useradd --create-home alice');
    const before = await snapshot(machine);
    await machine.ok(`${release}/install.sh`, 'alice');
    const installed = added(before, await snapshot(machine));
    for (const path of installed) expect(path).toMatch(/^\/home\/alice\/\.local(\/|$)/);
    expect(await machine.ok('grep ^ExecStart= ~/.local/share/systemd/user/peerd.service', 'alice')).toBe('ExecStart=/home/alice/.local/bin/peerd');

    const daemon = machine.start('echo $$ >/tmp/peerd-pid; exec .local/bin/peerd --name alice 2>&1', 'alice');
    expect(await until('peerd answers', () => machine.json<{ name: string }>('.local/bin/peerctl --json whoami', 'alice'), () => true)).toMatchObject({ name: 'alice' });
    await machine.ok('kill $(cat /tmp/peerd-pid)', 'alice');
    await once(daemon, 'exit');

    await makeLater(machine);
    expect(await machine.ok(`${later}/install.sh`, 'alice')).toMatch(/upgraded from \S+ to 99\.0\.0-/);
    expect(await machine.ok('readlink -f .local/bin/peerd', 'alice')).toMatch(/^\/home\/alice\/\.local\/lib\/peerd\/99\.0\.0-\w{8}\/bin\/peerd$/);
    await machine.ok('.local/lib/peerd/current/install.sh --remove', 'alice');
    expect(added(before, await snapshot(machine)).filter((path) => !/^\/home\/alice\/\.local(\/state.*|\/share|\/lib|\/bin)?$/.test(path))).toEqual([]);
  });

  test('a damaged archive, a Node.js that is missing, and a wrong option change nothing', async () => {
    const before = await snapshot(machine);
    await machine.ok(`cp -r ${release} /tmp/peerd-damaged && echo >>/tmp/peerd-damaged/lib/peerd/package.json`);
    expect(await machine.run('/tmp/peerd-damaged/install.sh')).toMatchObject({ code: 1, stderr: expect.stringContaining('the archive is damaged') as string });
    await machine.ok(`cp -r ${release} /tmp/peerd-bare && cd /tmp/peerd-bare && rm -r node && sed -i '/ \\.\\/node\\//d' SHA256SUMS`);
    expect(await machine.run('/tmp/peerd-bare/install.sh')).toMatchObject({ code: 1, stderr: 'install.sh: this archive needs Node.js 24 or newer in PATH, and there is none\n' });
    await machine.ok(`mkdir /tmp/bin && printf '#!/bin/sh\\necho 20\\n' > /tmp/bin/node && chmod +x /tmp/bin/node`);
    expect(await machine.run('PATH=/tmp/bin:$PATH /tmp/peerd-bare/install.sh')).toMatchObject({ code: 1, stderr: 'install.sh: this archive needs Node.js 24 or newer in PATH, and there is 20\n' });
    expect((await machine.run(`${release}/install.sh --force`)).code).toBe(2);
    expect(await machine.run(`${release}/install.sh --prefix somewhere`)).toMatchObject({ code: 1, stderr: expect.stringContaining('absolute') as string });
    expect(added(before, await snapshot(machine))).toEqual([]);
    // With a Node.js in PATH that is new enough, it needs none of its own.
    await machine.ok(`ln -sf ${release}/node/bin/node /usr/bin/node && /tmp/peerd-bare/install.sh && peerctl --version`);
  });
});

describe('the release under systemd', () => {
  beforeEach(({ skip }) => skip(unavailable !== undefined, unavailable));

  test('an upgrade restarts what runs, and only that; a removal stops it', async () => {
    await using machine = await Machine.boot('unpacked');
    await machine.ok(`${release}/install.sh && systemctl enable --now rendezvous`);
    const pid = await machine.property('rendezvous', 'MainPID');
    await makeLater(machine);
    await machine.ok(`${later}/install.sh`);
    expect(await machine.property('rendezvous', 'ActiveState')).toBe('active');
    expect(await machine.property('peerd', 'ActiveState')).toBe('inactive');
    const next = await machine.property('rendezvous', 'MainPID');
    expect(next).not.toBe(pid);
    expect(await machine.ok(`readlink /proc/${next}/exe`)).toMatch(/^\/usr\/local\/lib\/peerd\/99\.0\.0-/);
    await machine.ok(`${later}/install.sh`);
    expect(await machine.property('rendezvous', 'MainPID')).toBe(next);
    await machine.ok(`${later}/install.sh --remove`);
    expect((await machine.run('systemctl is-active rendezvous')).stdout.trim()).toBe('inactive');
    expect(await machine.ok('find /etc/systemd/system /usr/local/lib -name "rendezvous*" -o -name "peerd*"')).toBe('');
  });
});
