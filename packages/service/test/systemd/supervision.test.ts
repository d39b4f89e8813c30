import { chmod, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { supervise } from '../../src/systemd/supervision.ts';

const directory = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'supervision-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
};

/** A PATH on which `systemd-notify` writes what it was asked to say, and where, to a file. The real one is asked in e2e/systemd. */
const withRecorder = async (): Promise<{ env: Record<string, string>; said: () => Promise<string[]> }> => {
  const bin = await directory();
  const record = join(bin, 'said');
  await writeFile(record, '');
  await writeFile(join(bin, 'systemd-notify'), `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> ${record}\n`);
  await chmod(join(bin, 'systemd-notify'), 0o755);
  return { env: { PATH: `${bin}:/usr/bin:/bin`, NOTIFY_SOCKET: '/run/notify' }, said: async () => (await readFile(record, 'utf8')).trim().split('\n') };
};

test('without systemd nothing is supervised', () => {
  expect(supervise({}, { PATH: '/usr/bin' }, 1)).toBeUndefined();
});

test('readiness first, then signs of life with the status of now, at last the end', async () => {
  const { env, said } = await withRecorder();
  const checked = Promise.withResolvers<void>();
  let checks = 0;
  const supervision = supervise(
    {
      status: () => `${checks} checks`,
      health: async () => {
        checks += 1;
        if (checks === 3) checked.resolve();
      },
    },
    { ...env, WATCHDOG_USEC: '300000' },
    1,
  );
  await checked.promise;
  await supervision?.stopping();
  const lines = await said();
  expect(lines[0]).toBe('/run/notify READY=1 STATUS=0 checks');
  expect(lines[1]).toBe('/run/notify WATCHDOG=1 STATUS=1 checks');
  expect(lines.at(-1)).toBe('/run/notify STOPPING=1 STATUS=stopping');
});

test('a manager that cannot be told is no reason to end', async () => {
  const supervision = supervise({}, { NOTIFY_SOCKET: '/run/notify', PATH: await directory() }, 1);
  await expect(supervision?.stopping()).resolves.toBeUndefined();
});

/** Logs one line per level with its standard error on a file, JOURNAL_STREAM naming that file if `journal`. */
const logged = async (journal: boolean): Promise<string[]> => {
  const path = join(await directory(), 'log');
  await using file = await open(path, 'w');
  const { dev, ino } = await stat(path);
  const script = `
    import { createLogger } from ${JSON.stringify(fileURLToPath(new URL('../../src/logger.ts', import.meta.url)))};
    const logger = createLogger('test', 'trace');
    for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal']) logger[level](level);`;
  const child = spawn(process.execPath, ['--conditions=@peerd/source', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'ignore', file.fd],
    env: { ...process.env, JOURNAL_STREAM: journal ? `${dev}:${ino}` : `${dev}:${ino + 1}` },
  });
  await once(child, 'exit');
  return (await readFile(path, 'utf8')).trim().split('\n');
};

test('lines to the journal carry their priority, as sd-daemon(3) has it', async () => {
  expect((await logged(true)).map((line) => [line.slice(0, 3), (JSON.parse(line.slice(3)) as { msg: string }).msg])).toEqual([
    ['<7>', 'trace'], ['<7>', 'debug'], ['<6>', 'info'], ['<4>', 'warn'], ['<3>', 'error'], ['<2>', 'fatal'],
  ]);
});

test('lines to anything else are plain JSON', async () => {
  expect((await logged(false)).map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['trace', 'debug', 'info', 'warn', 'error', 'fatal']);
});
