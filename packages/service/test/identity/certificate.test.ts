import { X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { loadIdentity } from '../../src/index.ts';

const makeState = async (): Promise<{ directory: string; path: string }> => {
  const directory = await mkdtemp(join(tmpdir(), 'certificate-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return { directory, path: join(directory, 'identity.crt') };
};

describe('certificate', () => {
  test('is made once and kept beside the key', async () => {
    const { directory, path } = await makeState();
    const first = await loadIdentity(directory);
    expect(await readFile(path, 'utf8')).toBe(first.certificate);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await loadIdentity(directory)).certificate).toBe(first.certificate);
  });

  test.each([
    ['is none', async () => 'garbage'],
    ['is of another key', async () => (await loadIdentity((await makeState()).directory)).certificate],
    [
      'is signed by somebody else',
      async (own: string) => {
        // One bit of the signature, which is the last of it.
        const bytes = Buffer.from(own.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
        return `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64')}\n-----END CERTIFICATE-----\n`;
      },
    ],
  ] as const)('what %s is replaced', async (_, other) => {
    const { directory, path } = await makeState();
    const { publicKey, certificate } = await loadIdentity(directory);
    const found = await other(certificate);
    await writeFile(path, found);
    const again = await loadIdentity(directory);
    expect(new X509Certificate(again.certificate).publicKey.export({ type: 'spki', format: 'der' })).toEqual(publicKey);
    expect(await readFile(path, 'utf8')).toBe(again.certificate);
    expect(again.certificate).not.toBe(certificate);
    expect(again.certificate).not.toBe(found);
  });

  test('one that ends soon is replaced, as is one of the future', async () => {
    const { directory } = await makeState();
    const { certificate } = await loadIdentity(directory);
    onTestFinished(() => void vi.useRealTimers());
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 19 * 365 * 86_400_000 });
    const later = await loadIdentity(directory);
    expect(later.certificate).not.toBe(certificate);
    vi.useRealTimers();
    expect((await loadIdentity(directory)).certificate).not.toBe(later.certificate);
  });

  test('where it cannot be kept, it is made at each start', async () => {
    const { directory, path } = await makeState();
    await mkdir(path);
    const { certificate } = await loadIdentity(directory);
    expect(new X509Certificate(certificate).subject).toBe('CN=peerd');
    expect((await stat(path)).isDirectory()).toBe(true);
  });
});
