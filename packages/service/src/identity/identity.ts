/**
 * The Ed25519 key of a daemon (RFC 8032), and the self-signed certificate that carries it into TLS. The key is the
 * identity; the certificate means nothing by itself.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { PeerdError, type PeerId, peerIdOfPublicKey } from '@peerd/protocol';
import { certificateOf } from './certificate.ts';

export interface Identity {
  readonly id: PeerId;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Buffer;
  /** For TLS: PEM of the private key and of the certificate. */
  readonly key: string;
  readonly certificate: string;
  /** Ed25519 signature, 64 bytes. */
  sign(bytes: Uint8Array): Buffer;
}

/**
 * Reads `identity.key` (PKCS #8 PEM, mode 0600) from the state directory and makes it at the first start.
 *
 * @throws PeerdError `invalid_settings` when the file is not an Ed25519 key or others may read it
 */
export const loadIdentity = async (stateDir: string): Promise<Identity> => {
  const path = join(stateDir, 'identity.key');
  const pem = (await readKey(path)) ?? (await createKey(stateDir, path));
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw badKey(path, 'is not a private key in PEM', cause);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw badKey(path, `holds a key of type ${key.asymmetricKeyType ?? 'unknown'}, not ed25519`);
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return {
    id: peerIdOfPublicKey(publicKey),
    publicKey,
    key: pem,
    certificate: await certificateOf(stateDir, key, publicKey),
    sign: (bytes) => sign(null, bytes, key),
  };
};

/** @param publicKey SubjectPublicKeyInfo in DER, as `Channel.peerPublicKey` has it */
export const verifySignature = (publicKey: Buffer, bytes: Uint8Array, signature: Uint8Array): boolean =>
  verify(null, bytes, { key: publicKey, format: 'der', type: 'spki' }, signature);

const badKey = (path: string, what: string, cause?: unknown): PeerdError =>
  new PeerdError('invalid_settings', `${path} ${what}`, {
    cause,
    hint: 'Restore the file from a backup. If it is lost, move it away: a new identity is made, and every contact must trust it anew.',
  });

const readKey = async (path: string): Promise<string | undefined> => {
  try {
    await using file = await open(path, 'r');
    const { mode } = await file.stat();
    if ((mode & 0o077) !== 0)
      throw new PeerdError('invalid_settings', `${path} can be read by other users (mode ${(mode & 0o777).toString(8)})`, { hint: `chmod 600 ${path}` });
    return await file.readFile('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

const createKey = async (stateDir: string, path: string): Promise<string> => {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const partial = `${path}.new`;
  {
    await using file = await open(partial, 'w', 0o600);
    await file.writeFile(pem);
    await file.sync();
  }
  await rename(partial, path);
  await using directory = await open(stateDir, 'r');
  await directory.sync();
  return readFile(path, 'utf8');
};
