import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadIdentity } from '../../src/index.ts';

test.each(['640', '604', '620'])('a key of mode %s is not used', async (mode) => {
  const directory = await mkdtemp(join(tmpdir(), 'peerd-identity-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await loadIdentity(directory);
  const key = join(directory, 'identity.key');
  await chmod(key, mode);
  await expect(loadIdentity(directory)).rejects.toMatchObject({ code: 'invalid_settings', hint: `chmod 600 ${key}` });
});
