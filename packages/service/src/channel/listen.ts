/**
 * Accepts channels. A connection counts as unauthenticated until its owner calls `settled`; per remote address only so
 * many may be: over the limit the oldest is evicted, and nobody is banned (many peers may share one address).
 */
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { formatAddress, handshakeMessages, handshakeTimeoutMs, PeerdError } from '@peerd/protocol';
import type { Identity } from '../identity/identity.ts';
import { Channel } from './channel.ts';
import { checkedPeer, tlsOptions } from './tls.ts';

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly protocols: readonly string[];
  /** Unauthenticated connections per remote address, and in all. */
  readonly maxPending?: { perAddress: number; total: number };
  /** A channel with TLS up and key known. `settled` is called once `hello` went both ways; it stops the handshake timer. */
  readonly onChannel: (channel: Channel, settled: () => void) => void;
  /** A connection that did not come to a channel, or was ended before it was settled. */
  readonly onRefused?: (reason: PeerdError, remoteHost: string) => void;
}

export interface Listener {
  /** As bound: the port is the real one where 0 was asked for. */
  readonly address: { host: string; port: number };
  /** Stops listening and ends connections that are not settled. Settled channels belong to their owners. */
  close(): void;
}

interface Pending {
  readonly host: string;
  /** From when TLS is up: whoever is evicted from then on is told why. */
  channel: Channel | undefined;
  finish(reason?: PeerdError): void;
  evict(reason: PeerdError): void;
}

const defaultMaxPending = { perAddress: 64, total: 1_024 };

/** @throws PeerdError `address_in_use`, `invalid_settings` */
export const listen = async (identity: Identity, options: ListenOptions): Promise<Listener> => {
  // Insertion order is age.
  const pending = new Set<Pending>();
  // By remote address and port: Node does not tell which raw socket a TLS socket came from.
  const byEndpoint = new Map<string, Pending>();
  const limits = options.maxPending ?? defaultMaxPending;
  const server = createServer({ ...tlsOptions(identity, options.protocols), requestCert: true, handshakeTimeout: handshakeTimeoutMs, allowHalfOpen: false });

  server.on('connection', (raw) => {
    const host = (raw.remoteAddress ?? '').replace(/^::ffff:/, '');
    const evictOldest = (of: Pending[]): void => of[0]?.evict(new PeerdError('too_many_connections', `too many unauthenticated connections (from ${host})`));
    const sameHost = [...pending].filter((entry) => entry.host === host);
    if (sameHost.length >= limits.perAddress) evictOldest(sameHost);
    else if (pending.size >= limits.total) evictOldest([...pending]);

    let done = false;
    const finish = (reason?: PeerdError): void => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      pending.delete(entry);
      if (reason) options.onRefused?.(reason, host);
    };
    const entry: Pending = {
      host,
      channel: undefined,
      finish,
      evict: (reason) => {
        finish(reason);
        if (entry.channel) entry.channel.dismiss(reason);
        else raw.destroy();
      },
    };
    const timer = setTimeout(() => entry.evict(new PeerdError('handshake_timeout', `${host} did not complete the handshake in time`)), handshakeTimeoutMs);
    pending.add(entry);
    const key = endpoint(raw);
    byEndpoint.set(key, entry);
    raw.on('close', () => {
      byEndpoint.delete(key);
      finish(new PeerdError('link_lost', `${host} left during the handshake`));
    });
  });

  server.on('secureConnection', (socket: TLSSocket) => {
    const entry = byEndpoint.get(endpoint(socket));
    const finish = (reason?: PeerdError): void => entry?.finish(reason);
    socket.on('error', () => {});
    try {
      const peer = checkedPeer(socket, undefined);
      if (typeof socket.alpnProtocol !== 'string' || !options.protocols.includes(socket.alpnProtocol))
        throw new PeerdError('version_unsupported', 'no common application protocol');
      const channel = new Channel(socket, peer, handshakeMessages.bounds);
      if (entry) entry.channel = channel;
      options.onChannel(channel, finish);
    } catch (error) {
      finish(error instanceof PeerdError ? error : new PeerdError('internal', 'could not accept a connection', { cause: error }));
      socket.destroy();
    }
  });
  server.on('tlsClientError', (cause, socket) => socket.destroy(cause));

  const address = await bind(server, options);
  return {
    address,
    close: () => {
      server.close();
      for (const entry of pending) entry.evict(new PeerdError('shutting_down', 'the listener was closed'));
    },
  };
};

const endpoint = (socket: Socket): string => `${socket.remoteAddress ?? ''} ${socket.remotePort ?? 0}`;

const bind = async (server: Server, options: ListenOptions): Promise<{ host: string; port: number }> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host: options.host, port: options.port, backlog: 511 }, resolve);
  try {
    await promise;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'EADDRINUSE')
      throw new PeerdError('address_in_use', `${formatAddress(options)} is in use`, { cause, hint: 'Stop the other program or choose another port with --listen; port 0 takes any free one.' });
    throw new PeerdError('invalid_settings', `cannot listen on ${formatAddress(options)}: ${(cause as Error).message}`, { cause, hint: 'Give --listen an address of this machine.' });
  } finally {
    server.off('error', reject);
  }
  server.on('error', () => {});
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new PeerdError('internal', 'the listener has no address');
  return { host: bound.address, port: bound.port };
};
