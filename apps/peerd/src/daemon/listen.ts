/** Where peers connect. */
import { PeerdError } from '@peerd/protocol';
import type { HostPort, Logger } from '@peerd/service';

/**
 * Without an address: all of both families, or of IPv4 where the machine has no IPv6; a default port in use gives way to
 * any free one.
 *
 * @throws PeerdError what `bind` throws
 */
export const bindDefaulted = async (bind: (where: HostPort) => Promise<void>, given: HostPort | undefined, defaultPort: number, logger: Logger): Promise<void> => {
  if (given) return bind(given);
  const either = async (port: number): Promise<void> => {
    try {
      await bind({ host: '::', port });
    } catch (error) {
      if (isInUse(error)) throw error;
      await bind({ host: '0.0.0.0', port });
    }
  };
  try {
    await either(defaultPort);
  } catch (error) {
    if (!isInUse(error)) throw error;
    logger.warn({ wanted: defaultPort }, 'the default port is in use; taking a free one');
    await either(0);
  }
};

const isInUse = (error: unknown): boolean => error instanceof PeerdError && error.code === 'address_in_use';
