import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A directory that goes with the test. */
export const temporaryDirectory = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'peerd-transfer-'));
  onTestFinished(async () => removeAll(path));
  return path;
};

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** `rm` can't do names that are not UTF-8, nor directories without permissions. */
export const removeAll = async (path: string): Promise<void> => {
  await chmod(latin1(path), 0o700).catch(() => undefined);
  for (const entry of await readdir(latin1(path), { withFileTypes: true, encoding: 'buffer' }).catch(() => [])) {
    const child = `${path}/${entry.name.toString('latin1')}`;
    if (entry.isDirectory()) await removeAll(child);
    else await rm(latin1(child));
  }
  await rm(latin1(path), { recursive: true, force: true });
};
