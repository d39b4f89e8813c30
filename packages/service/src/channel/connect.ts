/** Dials a channel: TCP, TLS 1.3, key check. `hello` is the caller's. */
import { connect as tlsConnect } from 'node:tls';
import { formatAddress, handshakeMessages, handshakeTimeoutMs, PeerdError, type PeerId } from '@peerd/protocol';
import type { Identity } from '../identity/identity.ts';
import { Channel } from './channel.ts';
import { checkedPeer, dialOptions } from './tls.ts';

export interface DialTarget {
  readonly host: string;
  readonly port: number;
  /** ALPN protocol. */
  readonly protocol: string;
  /** Without one any key is taken: first use of a rendezvous. */
  readonly expected?: PeerId;
}

/**
 * @throws PeerdError `peer_unreachable`, `handshake_timeout`, `wrong_key`; the reason of `signal`
 */
export const dial = async (identity: Identity, target: DialTarget, signal: AbortSignal): Promise<Channel> => {
  signal.throwIfAborted();
  const where = formatAddress(target);
  const socket = tlsConnect({ ...dialOptions(identity, [target.protocol]), host: target.host, port: target.port });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new PeerdError('handshake_timeout', `${where} did not complete the handshake in time`)), handshakeTimeoutMs);
  const onAbort = (): void => reject(signal.reason as Error);
  const onError = (cause: Error): void => reject(new PeerdError('peer_unreachable', `${where}: ${cause.message}`, { cause }));
  const onClose = (): void => reject(new PeerdError('peer_unreachable', `${where} ended the connection before TLS was up`));
  signal.addEventListener('abort', onAbort, { once: true });
  socket.once('secureConnect', resolve).once('error', onError).once('close', onClose);
  try {
    await promise;
    const peer = checkedPeer(socket, target.expected);
    if (socket.alpnProtocol !== target.protocol) throw new PeerdError('peer_unreachable', `${where} does not speak ${target.protocol}`);
    return new Channel(socket, peer, handshakeMessages.bounds);
  } catch (error) {
    socket.on('error', () => {});
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    socket.off('error', onError).off('close', onClose);
  }
};
