import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkDestination, makeDownloadDirectory } from '../../src/transfer/destination.ts';

test('a destination is an absolute path to a directory that is there', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'peerd-destination-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, 'file'), '');
  await checkDestination(directory);
  for (const [path, why] of [['.', 'absolute'], [`${directory}\0`, 'absolute'], [join(directory, 'file'), 'not a directory'], [join(directory, 'nowhere'), 'does not exist']] as const)
    await expect(checkDestination(path)).rejects.toMatchObject({ code: 'invalid_argument', message: expect.stringContaining(why), hint: expect.any(String) });
  await makeDownloadDirectory(join(directory, 'new', 'one'));
  await checkDestination(join(directory, 'new', 'one'));
  await expect(makeDownloadDirectory(join(directory, 'file'))).rejects.toMatchObject({ code: 'io_error' });
});
