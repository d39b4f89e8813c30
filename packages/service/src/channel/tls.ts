/** How every connection of ours uses TLS: version 1.3, both certificates, keys instead of authorities, no resumption. */
import { type CommonConnectionOptions, createSecureContext, type SecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { PeerdError, type PeerId, peerIdOfPublicKey } from '@peerd/protocol';
import type { Identity } from '../identity/identity.ts';

export const tlsOptions = (identity: Identity, protocols: readonly string[]): SecureContextOptions & CommonConnectionOptions => ({
  key: identity.key,
  cert: identity.certificate,
  ALPNProtocols: [...protocols],
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  // AES-128 first: the fastest where the CPU has AES instructions, and as strong as Ed25519.
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384',
  // Certificates are self-signed: `checkedPeer` compares the key instead, and no authority is loaded.
  ca: [],
  rejectUnauthorized: false,
});

const contexts = new WeakMap<Identity, SecureContext>();

/** For dialling: the key is prepared once, not with each connection. */
export const dialOptions = (identity: Identity, protocols: readonly string[]): CommonConnectionOptions => {
  const { ALPNProtocols, rejectUnauthorized, ...context } = tlsOptions(identity, protocols);
  const secureContext = contexts.get(identity) ?? createSecureContext(context);
  contexts.set(identity, secureContext);
  return { secureContext, ALPNProtocols, rejectUnauthorized };
};

/**
 * The key that the other side has proved to hold.
 *
 * @throws PeerdError `wrong_key` without a certificate, with one of another kind, on a resumed session (which may lack
 * the proof of the key), or when the key is not the expected one
 */
export const checkedPeer = (socket: TLSSocket, expected: PeerId | undefined): { id: PeerId; publicKey: Buffer } => {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) throw new PeerdError('wrong_key', 'the other side presented no certificate');
  if (socket.isSessionReused()) throw new PeerdError('wrong_key', 'the other side resumed a TLS session');
  const key = certificate.publicKey;
  if (key.asymmetricKeyType !== 'ed25519') throw new PeerdError('wrong_key', 'the other side has a key that is not Ed25519');
  const publicKey = key.export({ type: 'spki', format: 'der' });
  const id = peerIdOfPublicKey(publicKey);
  if (expected !== undefined && id !== expected) {
    throw new PeerdError('wrong_key', `the machine that answered has the id ${id}, expected was ${expected}`, {
      hint: 'Somebody else may be at that address, or the peer was installed anew. Compare ids with the person before you trust it.',
      details: { expected, actual: id },
    });
  }
  return { id, publicKey };
};
