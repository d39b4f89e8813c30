/** Makes the certificate. Loaded only then: the library takes as long to load as a fifth of the start of a daemon. */
import 'reflect-metadata';
import { type KeyObject, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const certificateYears = 20;

/** @param publicKey SubjectPublicKeyInfo in DER @returns PEM */
export const selfSigned = async (key: KeyObject, publicKey: Buffer): Promise<string> => {
  const algorithm = { name: 'Ed25519' };
  const { subtle } = webcrypto;
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=peerd',
      // An hour of clock skew: the dates are not checked by us, but a library in between may.
      notBefore: new Date(now - 3_600_000),
      notAfter: new Date(now + certificateYears * 365 * 86_400_000),
      signingAlgorithm: algorithm,
      keys: {
        privateKey: await subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), algorithm, false, ['sign']),
        publicKey: await subtle.importKey('spki', publicKey, algorithm, true, ['verify']),
      },
    },
    webcrypto,
  );
  return certificate.toString('pem');
};
