import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ControlEvent } from '@peerd/protocol';
import { createLogger } from '@peerd/service';
import { expect, onTestFinished, test } from 'vitest';
import { createNotifications, type Notifications } from '../../src/hooks/notifications.ts';

const logger = createLogger('test', 'silent');
const bob = { id: 'b'.repeat(52), name: 'bob' };

const desktop = async (): Promise<{ shown: (count: number) => Promise<string[][]>; env: Record<string, string> }> => {
  const directory = await mkdtemp(join(tmpdir(), 'notify-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const log = join(directory, 'log');
  await writeFile(log, '');
  await writeFile(join(directory, 'notify-send'), `#!/bin/sh\nfor word do printf '%s\\0' "$word"; done >>'${log}'; printf '\\n\\0' >>'${log}'\n`);
  await chmod(join(directory, 'notify-send'), 0o755);
  const read = async (): Promise<string[][]> => (await readFile(log, 'utf8')).split('\n\0').slice(0, -1).map((call) => call.split('\0').slice(0, -1));
  const shown = async (count: number): Promise<string[][]> => {
    await expect.poll(async () => (await read()).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(count);
    return await read();
  };
  return { shown, env: { PATH: `${directory}:${process.env['PATH'] ?? ''}`, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' } };
};

const open = (env: Record<string, string>, now: () => number = () => 0): Notifications => {
  const notifications = createNotifications({ env, logger, now });
  if (!notifications) throw new Error('no notifications');
  onTestFinished(() => notifications.stop());
  return notifications;
};

const message = (text: string, more: { stranger?: boolean; direction?: 'sent' | 'received' } = {}): ControlEvent => ({
  kind: 'message', message: { id: '1', peer: bob, direction: 'received', text, sentAt: 0, state: 'delivered', stranger: false, ...more },
});

test('offers that wait, messages of contacts and what was received are shown; no markup, and no more than fits', async () => {
  const { shown, env } = await desktop();
  const notifications = open(env);
  notifications.event({ kind: 'offer', id: 'x', from: { ...bob, name: '-bob' } });
  notifications.event(message('<b>lunch</b> & more'));
  notifications.event(message('hidden', { stranger: true }));
  notifications.event(message('own', { direction: 'sent' }));
  notifications.event(message('x'.repeat(500)));
  const transfer = { id: '01kagtm5000000000000000001', direction: 'receive' as const, peer: bob, state: 'done' as const, entries: 2, bytes: 1, bytesDone: 1, createdAt: 0, updatedAt: 0 };
  notifications.event({ kind: 'transfer', transfer: { ...transfer, state: 'verifying' } });
  notifications.event({ kind: 'transfer', transfer, savedAs: ['/in/a', '/in/b'] });
  expect(await shown(4)).toEqual([
    ['--app-name=peerd', '--', '-bob wants to send you something', 'peerctl inbox shows what, peerctl accept takes it.'],
    ['--app-name=peerd', '--', 'bob', '&lt;b&gt;lunch&lt;/b&gt; &amp; more'],
    ['--app-name=peerd', '--', 'bob', `${'x'.repeat(199)}…`],
    ['--app-name=peerd', '--', 'Received from bob', '/in/a and 1 more'],
  ]);
});

test('somebody who writes without end is not shown without end', async () => {
  const { shown, env } = await desktop();
  let now = 0;
  const notifications = open(env, () => now);
  for (let index = 0; index < 50; index += 1) notifications.event(message(`first ${index}`));
  expect((await shown(5)).length).toBe(5);
  now = 5_000;
  for (let index = 0; index < 50; index += 1) notifications.event(message(`later ${index}`));
  expect((await shown(6)).map(([, , , body]) => body)).toEqual(['first 0', 'first 1', 'first 2', 'first 3', 'first 4', 'later 0']);
});

test('none without the program, and none without a session', async () => {
  const { env } = await desktop();
  const { DBUS_SESSION_BUS_ADDRESS: _, ...headless } = env;
  expect(createNotifications({ env: headless, logger, now: () => 0 })).toBeUndefined();
  expect(createNotifications({ env: { ...env, PATH: '/nonexistent' }, logger, now: () => 0 })).toBeUndefined();
});
