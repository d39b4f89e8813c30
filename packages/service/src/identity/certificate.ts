/**
 * The certificate of a key, kept beside it (`identity.crt`): making one needs a library that is slow to load. What stands
 * there is used only if it is for this key, signed with it, and valid for long; else it is made anew.
 */
import { type KeyObject, createPublicKey, X509Certificate } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

/** So much must be left, in milliseconds: a daemon may run for long. */
const leastLeft = 2 * 365 * 86_400_000;

/** @param publicKey SubjectPublicKeyInfo in DER @returns PEM */
export const certificateOf = async (stateDir: string, key: KeyObject, publicKey: Buffer): Promise<string> => {
  const path = join(stateDir, 'identity.crt');
  const kept = await readFile(path, 'utf8').catch(() => '');
  if (isUsable(kept, publicKey)) return kept;
  const { selfSigned } = await import('./self-signed.ts');
  const made = await selfSigned(key, publicKey);
  // Not kept, it is made again at the next start.
  await keep(path, made).catch(() => {});
  return made;
};

const isUsable = (pem: string, publicKey: Buffer): boolean => {
  try {
    const certificate = new X509Certificate(pem);
    const now = Date.now();
    return (
      certificate.publicKey.export({ type: 'spki', format: 'der' }).equals(publicKey) &&
      certificate.verify(createPublicKey({ key: publicKey, type: 'spki', format: 'der' })) &&
      Date.parse(certificate.validFrom) <= now &&
      Date.parse(certificate.validTo) - now > leastLeft
    );
  } catch {
    return false;
  }
};

const keep = async (path: string, pem: string): Promise<void> => {
  const partial = `${path}.new`;
  {
    await using file = await open(partial, 'w', 0o600);
    await file.writeFile(pem);
    await file.sync();
  }
  await rename(partial, path);
};
