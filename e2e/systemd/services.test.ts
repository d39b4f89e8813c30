/** The system services under a real systemd: sandbox, readiness, watchdog, socket activation, journal. */
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFailed, test } from 'vitest';
import { until } from '../containers/harness/poll.ts';
import { Machine } from '../machine/machine.ts';
import { journal, shortWatchdog } from './host.ts';

const unavailable = inject('noMachine');

describe('system services', () => {
  let machine: Machine;
  beforeAll(async () => {
    if (unavailable === undefined) machine = await Machine.boot('installed');
  });
  afterAll(() => machine?.[Symbol.asyncDispose]());
  beforeEach(({ skip }) => {
    skip(unavailable !== undefined, unavailable);
    onTestFailed(async () => console.error((await machine.run('journalctl --no-pager --lines=60; systemctl status --no-pager rendezvous peerd peerd.socket')).stdout));
  });

  test('the units are valid, and nothing is started that was not asked for', async () => {
    expect(await machine.ok('cd /usr/local/lib/systemd && systemd-analyze verify system/* 2>&1 && XDG_RUNTIME_DIR=$(mktemp -d) systemd-analyze --user verify user/* 2>&1')).toBe('');
    expect(await machine.run('systemctl is-enabled rendezvous peerd peerd.socket')).toMatchObject({ stdout: 'disabled\ndisabled\ndisabled\n' });
  });

  test.for([['rendezvous', '1.3'], ['peerd', '1.4']] as const)('systemd-analyze counts for %s an exposure of %s', async ([unit, exposure]) => {
    expect(await machine.ok(`systemd-analyze security --no-pager --offline=yes ${unit}.service`)).toContain(`Overall exposure level for ${unit}.service: ${exposure} OK`);
  });

  test('rendezvous is ready when systemctl start returns, as a user who exists only while it runs', async () => {
    expect((await machine.run('id rendezvous')).code).not.toBe(0);
    await machine.ok('systemctl start rendezvous');
    expect(await machine.property('rendezvous', 'ActiveState')).toBe('active');
    expect(await machine.property('rendezvous', 'StatusText')).toBe('0 peers in 0 rooms; peers connect to [::]:12000');
    expect(await machine.ok(`stat -c '%a' /var/lib/private/rendezvous /var/lib/private/rendezvous/identity.key`)).toBe('700\n600');
    expect(await machine.ok(`stat -c '%U' /var/lib/private/rendezvous`)).toBe(await machine.ok(`ps -o user= -p $(systemctl show -P MainPID rendezvous) 2>/dev/null || stat -c '%U' /proc/$(systemctl show -P MainPID rendezvous)`));
    expect(await machine.ok(`${node} -e 'fetch("http://127.0.0.1:12080/readyz").then(async (r) => console.log(await r.text()))'`)).toBe('{"status":"ready"}');
  });

  test('a setting that is wrong is an error of the start, and is not tried again', async () => {
    await machine.write('/run/systemd/system/rendezvous.service.d/wrong.conf', '[Service]\nEnvironment=RENDEZVOUS_MAX_PEERS=many');
    await machine.ok('systemctl daemon-reload');
    expect((await machine.run('systemctl restart rendezvous')).code).not.toBe(0);
    expect(await machine.property('rendezvous', 'ActiveState')).toBe('failed');
    expect(await machine.property('rendezvous', 'ExecMainStatus')).toBe('2');
    expect(await machine.ok('journalctl --unit=rendezvous --no-pager --lines=8')).toContain('RENDEZVOUS_MAX_PEERS: must be a number');
    await machine.ok('rm -r /run/systemd/system/rendezvous.service.d && systemctl daemon-reload && systemctl start rendezvous');
  });

  test('a process that hangs is ended by the watchdog and started again; one that lives is left alone', async () => {
    await shortWatchdog(machine, 'rendezvous.service');
    await machine.ok('systemctl restart rendezvous');
    const pid = await machine.property('rendezvous', 'MainPID');
    // Twice the time of the watchdog, seen by its own signs of life.
    const since = Number(await machine.property('rendezvous', 'WatchdogTimestampMonotonic'));
    await until('signs of life', () => machine.property('rendezvous', 'WatchdogTimestampMonotonic'), (at) => Number(at) - since > 6_000_000, 30_000);
    expect(await machine.property('rendezvous', 'MainPID')).toBe(pid);

    await machine.ok(`kill -STOP ${pid}`);
    await until('it is started again', () => machine.property('rendezvous', 'NRestarts'), (count) => Number(count) === 1, 30_000);
    await until('it is ready again', () => machine.property('rendezvous', 'ActiveState'), (state) => state === 'active', 30_000);
    expect(await machine.property('rendezvous', 'MainPID')).not.toBe(pid);
    expect(await machine.ok('journalctl --unit=rendezvous --no-pager')).toMatch(/Watchdog timeout \(limit 3s\)!/);
  });

  test('a room secret reaches the service as a credential that only it can read', async () => {
    await machine.ok('umask 077; head -c 24 /dev/urandom | base64 >/etc/peerd/room-secret');
    await machine.write('/run/systemd/system/rendezvous.service.d/secret.conf', '[Service]\nLoadCredential=room-secret:/etc/peerd/room-secret\nEnvironment=RENDEZVOUS_ROOM_SECRET_FILE=%d/room-secret');
    await machine.ok('systemctl daemon-reload && systemctl restart rendezvous');
    expect((await journal(machine, 'rendezvous')).findLast(({ line }) => line.msg === 'rendezvous is up')?.line).toMatchObject({ needsSecret: true });
    await machine.ok('rm /run/systemd/system/rendezvous.service.d/secret.conf && systemctl daemon-reload && systemctl restart rendezvous');
  });

  test('peerd is started by the first request to its control socket, which only its group may use', async () => {
    await machine.ok('useradd --create-home --groups peerd member && useradd --create-home stranger');
    await machine.ok('systemctl start peerd.socket');
    expect(await machine.property('peerd', 'ActiveState')).toBe('inactive');
    expect(await machine.run('peerctl --socket /run/peerd/peerd.sock status', 'stranger')).toMatchObject({ code: 3 });
    expect(await machine.property('peerd', 'ActiveState')).toBe('inactive');
    expect(await machine.json('peerctl --json --socket /run/peerd/peerd.sock status', 'member')).toMatchObject({ downloadDir: '/srv/peerd' });
    expect(await machine.property('peerd', 'ActiveState')).toBe('active');
    expect(await machine.ok(`stat -c '%A %U %G' /run/peerd/peerd.sock /srv/peerd /var/lib/peerd`)).toBe('srw-rw---- peerd peerd\ndrwxrws--- peerd peerd\ndrwx------ peerd peerd');
  });

  test('the control socket answers again after the watchdog had to end peerd', async () => {
    await shortWatchdog(machine, 'peerd.service');
    await machine.ok('systemctl restart peerd');
    await machine.ok('kill -STOP $(systemctl show -P MainPID peerd)');
    // It waits in the socket until the next process takes it.
    expect(await machine.json('peerctl --json whoami')).toMatchObject({ name: expect.any(String) as string });
    expect(Number(await machine.property('peerd', 'NRestarts'))).toBe(1);
  });

  test('the journal has each line with its priority and its ids', async () => {
    await machine.write('/run/systemd/system/peerd.service.d/auto.conf', '[Service]\nEnvironment=PEERD_ACCEPT=auto PEERD_RENDEZVOUS=127.0.0.1:12000');
    await machine.ok('systemctl daemon-reload && systemctl restart peerd');
    const { id } = await machine.json<{ id: string }>('peerctl --json whoami');
    const entries = await until('it is registered', () => journal(machine, 'peerd'), (found) => found.some(({ line }) => line.msg === 'registered'));
    const priorities: Record<number, number> = { 20: 7, 30: 6, 40: 4, 50: 3, 60: 2 };
    for (const { priority, line } of entries) expect({ priority, line }).toEqual({ priority: priorities[Number(line.level)], line });
    expect(entries.findLast(({ line }) => line.msg === 'peerd is up')?.line).toMatchObject({ id, control: '/run/peerd/peerd.sock', program: 'peerd' });
    expect((await journal(machine, 'peerd', '--priority=warning')).map(({ line }) => line.msg)).toContainEqual(expect.stringContaining('accept = auto'));
    expect((await journal(machine, 'rendezvous')).find(({ line }) => line.msg === 'registered')?.line).toMatchObject({ peer: id.slice(0, 8) });
  });

  test('systemctl stop is orderly', async () => {
    await machine.ok('systemctl stop peerd rendezvous');
    for (const unit of ['peerd', 'rendezvous']) {
      expect(await machine.property(unit, 'Result')).toBe('success');
      expect((await journal(machine, unit)).at(-1)?.line.msg).toBe('stopped');
    }
    expect((await machine.run('id rendezvous')).code).not.toBe(0);
  });
});

const node = '/usr/local/lib/peerd/current/node/bin/node';
