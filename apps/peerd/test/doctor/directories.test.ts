import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DoctorCheck } from '@peerd/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkDownloads, checkState } from '../../src/doctor/directories.ts';

const uid = process.getuid?.() ?? 0;
const temporary = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'doctor-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
};
const find = (checks: readonly DoctorCheck[], name: string): DoctorCheck | undefined => checks.find((check) => check.name === name);

describe('the state directory', () => {
  test('modes and owners', async () => {
    const directory = await temporary();
    const key = join(directory, 'identity.key');
    await writeFile(key, 'x', { mode: 0o600 });
    await chmod(directory, 0o700);
    expect((await checkState(directory, uid)).map(({ state }) => state)).toEqual(['ok', 'ok', expect.stringMatching(/ok|warn/) as string]);
    await chmod(directory, 0o755);
    await chmod(key, 0o640);
    const checks = await checkState(directory, uid);
    expect(find(checks, 'state-directory')).toMatchObject({ state: 'warn', hint: `chmod 700 ${directory}` });
    expect(find(checks, 'identity-key')).toMatchObject({ state: 'fail', message: expect.stringContaining('0640') as string });
    expect(find(await checkState(directory, uid + 1), 'state-directory')).toMatchObject({ state: 'fail' });
    await rm(key);
    expect(find(await checkState(directory, uid), 'identity-key')).toMatchObject({ state: 'fail', hint: expect.stringContaining('backup') as string });
  });
});

test('a database that was set aside is told of as long as it lies there', async () => {
  const directory = await temporary();
  expect(find(await checkState(directory, uid), 'database')).toBeUndefined();
  const aside = join(directory, 'peerd.db.corrupt-2026-01-02T03-04-05.678Z');
  for (const suffix of ['', '-wal']) await writeFile(`${aside}${suffix}`, '');
  expect(find(await checkState(directory, uid), 'database')).toMatchObject({ state: 'warn', message: expect.stringContaining(`${aside}.`) as string, hint: expect.stringContaining('.recover') as string });
});

describe('the download directory', () => {
  test('not there yet, no directory, and what was left in it', async () => {
    const base = await temporary();
    expect(await checkDownloads(join(base, 'later'), new Set())).toMatchObject([{ name: 'download-directory', state: 'ok' }]);
    await writeFile(join(base, 'file'), '');
    expect(await checkDownloads(join(base, 'file'), new Set())).toMatchObject([{ name: 'download-directory', state: 'fail' }]);
    const [busy, left] = ['0'.repeat(25), '0'.repeat(25)].map((text, index) => `${text}${index}`);
    await mkdir(join(base, `.peerd-${busy}-x`));
    expect(find(await checkDownloads(base, new Set([busy ?? ''])), 'staging')).toMatchObject({ state: 'ok' });
    await mkdir(join(base, `.peerd-${left}-x`));
    expect(find(await checkDownloads(base, new Set([busy ?? ''])), 'staging')).toMatchObject({ state: 'warn', message: expect.stringContaining(`.peerd-${left}-x`) as string });
  });
});
