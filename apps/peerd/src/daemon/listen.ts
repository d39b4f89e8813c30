/** Where peers connect. */
import { formatAddress, peerAlpn, PeerdError } from '@peerd/protocol';
import { type HostPort, type Identity, listen, type Listener, type ListenOptions, type Logger } from '@peerd/service';

export type OnPeer = Pick<ListenOptions, 'onChannel' | 'onRefused'>;

/**
 * Without an address: all of both families, or of IPv4 where the machine has no IPv6; a default port in use gives way to
 * any free one.
 *
 * @throws PeerdError `address_in_use`, `invalid_settings`
 */
export const listenForPeers = async (identity: Identity, given: HostPort | undefined, defaultPort: number, logger: Logger, onPeer: OnPeer): Promise<Listener> => {
  const bind = (host: string, port: number): Promise<Listener> => listen(identity, { host, port, protocols: [peerAlpn], ...onPeer });
  if (given) return bind(given.host, given.port);
  const either = async (port: number): Promise<Listener> => {
    try {
      return await bind('::', port);
    } catch (error) {
      if (error instanceof PeerdError && error.code === 'address_in_use') throw error;
      return bind('0.0.0.0', port);
    }
  };
  try {
    return await either(defaultPort);
  } catch (error) {
    if (!(error instanceof PeerdError) || error.code !== 'address_in_use') throw error;
    const listener = await either(0);
    logger.warn({ wanted: defaultPort, listen: formatAddress(listener.address) }, 'the default port is in use; took a free one');
    return listener;
  }
};
